"""
Units of meters as e-invoices name them: UN/ECE Recommendation 20, as EN 16931 wants for the unit of every line (BT-130).

Codes as in the list of github.com/horstoeko/zugferd (src/codelistsenum/ZugferdUnitCodes.php). A unit of one's own, such as
"request" or "seat", is counted: C62, "one".
"""

from typing import Final

ONE: Final = "C62"

# Code → how people write the unit, in lower case; a plural "s" may follow those of more than two letters.
_NAMES: Final = {
    "SEC": ("second", "sec", "s"),
    "MIN": ("minute", "min"),
    "HUR": ("hour", "hr", "h"),
    "DAY": ("day", "d"),
    "WEE": ("week",),
    "MON": ("month",),
    "QAN": ("quarter",),
    "ANN": ("year",),
    "A99": ("bit",),
    "AD": ("byte",),
    "2P": ("kilobyte", "kb"),
    "4L": ("megabyte", "mb"),
    "E34": ("gigabyte", "gb"),
    "E35": ("terabyte", "tb"),
    "E36": ("petabyte", "pb"),
    "E64": ("kibibyte", "kib"),
    "E63": ("mebibyte", "mib"),
    "E62": ("gibibyte", "gib"),
    "E61": ("tebibyte", "tib"),
    "E60": ("pebibyte", "pib"),
    "WHR": ("watt hour", "watt-hour", "wh"),
    "KWH": ("kilowatt hour", "kilowatt-hour", "kwh"),
    "GRM": ("gram", "g"),
    "KGM": ("kilogram", "kg"),
    "LTR": ("litre", "liter", "l"),
    "MTR": ("metre", "meter", "m"),
    "KMT": ("kilometre", "kilometer", "km"),
    "E37": ("pixel",),
    "NF": ("message",),
    "C0": ("call",),
    "ZP": ("page",),
    "E51": ("job",),
    "IE": ("person",),
    "P1": ("percent", "%"),
}
_CODES: Final = {name: code for code, names in _NAMES.items() for name in names}


def unit_code(unit: str) -> str:
    """
    Return the code of a unit as people write it; C62 where the unit is none of the list's.

    >>> [unit_code(unit) for unit in ("GB", "hours", "API request", "")]
    ['E34', 'HUR', 'C62', 'C62']
    """
    name = " ".join(unit.lower().split())
    if name in _CODES:
        return _CODES[name]
    singular = name.removesuffix("s")
    return _CODES.get(singular, ONE) if len(singular) > 2 else ONE
