"""What leaves the house: PDF, storage, e-mail. The only package that may import WeasyPrint, storages and AWS libraries."""
