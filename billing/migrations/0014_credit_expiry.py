from django.db import migrations


class Migration(migrations.Migration):
    """What a void invoice gives back to a credit that has expired expires once more: a second entry of the kind."""

    dependencies = [("billing", "0013_documents_frozen")]
    operations = [migrations.RemoveConstraint(model_name="creditentry", name="credit_expires_once")]
