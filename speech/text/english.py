# ruff: noqa: RUF001, SIM905  # signs people type; word lists read best as prose
"""English: how dates, times, units, money and abbreviations are read aloud (US order of dates)."""

from speech.text.locale import Currency, Locale
from speech.text.numbers import cardinal, ordinal, year

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DENOMINATORS = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_REGNAL = frozenset(
    "Louis Henry Charles George Edward James William Richard Elizabeth Mary Catherine Philip "
    "Felipe Carlos Alexander Nicholas Peter Ferdinand Francis Frederick Napoleon Ivan John Paul "
    "Pius Benedict Gregory Leo Clement Innocent King Queen Pope Emperor Tsar Alfonso Juan Isabel "
    "Ramses Rameses Ptolemy Xerxes Darius Otto Leopold Gustav Harald Margrethe".split()
)


def _date(y: int | None, month: int, day: int) -> str:
    text = f"{MONTHS[month - 1]} {ordinal(day, 'en')}"
    return text if y is None else f"{text}, {year(y, 'en')}"


def _time(hour: int, minute: int, second: int | None, meridiem: str) -> str:
    half = {"am": " A M", "pm": " P M", "": ""}[meridiem]
    if minute:
        text = f"{cardinal(hour, 'en')} {'oh ' if minute < 10 else ''}{cardinal(minute, 'en')}"
    elif meridiem:
        text = cardinal(hour, "en")
    elif 1 <= hour <= 12:
        text = f"{cardinal(hour, 'en')} o'clock"
    else:
        text = f"{cardinal(hour, 'en')} hundred"
    if second:
        text += f" and {cardinal(second, 'en')} second{'s' if second != 1 else ''}"
    return text + half


def _fraction(numerator: int, denominator: int) -> str:
    if denominator in _DENOMINATORS:
        name = _DENOMINATORS[denominator][numerator != 1]
    elif 3 <= denominator <= 20:
        name = ordinal(denominator, "en") + ("s" if numerator != 1 else "")
    else:
        name = f"over {cardinal(denominator, 'en')}"
    return f"{cardinal(numerator, 'en')} {name}"


def _roman(before: str, value: int) -> str:
    return f"the {ordinal(value, 'en')}" if before in _REGNAL else cardinal(value, "en")


_DOLLAR = Currency("dollar", "dollars", "cent", "cents")
_EURO = Currency("euro", "euros", "cent", "cents")
_POUND = Currency("pound", "pounds", "penny", "pence")
_YEN = Currency("yen", "yen")

ENGLISH = Locale(
    language="en",
    words={
        "minus": "minus",
        "to": "to",
        "and": "and",
        "or": "or",
        "per": "per",
        "at": "at",
        "dot": "dot",
        "slash": "slash",
        "underscore": "underscore",
        "dash": "dash",
        "plus": "plus",
        "times": "times",
        "over": "divided by",
        "by": "by",
        "half": "and",
        "hashtag": "hashtag",
        "number": "number",
        "version": "version",
        "power": "to the power of",
        "squared": "squared",
        "cubed": "cubed",
        "point": "point",
        "cents": "and",
        "of": "",
        "about": "about",
        "feet": "feet",
        "inches": "inches",
    },
    symbols={
        "&": "and",
        "+": "plus",
        "=": "equals",
        "@": "at",
        "%": "percent",
        "×": "times",
        "÷": "divided by",
        "±": "plus or minus",
        "<": "less than",
        ">": "greater than",
        "≤": "less than or equal to",
        "≥": "greater than or equal to",
        "≠": "is not equal to",
        "≈": "is about",
        "∞": "infinity",
        "π": "pi",
        "√": "square root of ",
        "°": "degrees",
        "§": "section",
        "∑": "sum of",
        "µ": "micro",
        "№": "number",
        "¢": "cents",
    },
    units={
        "km": ("kilometer", "kilometers"),
        "m": ("meter", "meters"),
        "cm": ("centimeter", "centimeters"),
        "mm": ("millimeter", "millimeters"),
        "nm": ("nanometer", "nanometers"),
        "mi": ("mile", "miles"),
        "ft": ("foot", "feet"),
        "yd": ("yard", "yards"),
        "kg": ("kilogram", "kilograms"),
        "g": ("gram", "grams"),
        "mg": ("milligram", "milligrams"),
        "lb": ("pound", "pounds"),
        "lbs": ("pound", "pounds"),
        "oz": ("ounce", "ounces"),
        "t": ("ton", "tons"),
        "l": ("liter", "liters"),
        "L": ("liter", "liters"),
        "ml": ("milliliter", "milliliters"),
        "mL": ("milliliter", "milliliters"),
        "cl": ("centiliter", "centiliters"),
        "gal": ("gallon", "gallons"),
        "tbsp": ("tablespoon", "tablespoons"),
        "tsp": ("teaspoon", "teaspoons"),
        "°C": ("degree Celsius", "degrees Celsius"),
        "ºC": ("degree Celsius", "degrees Celsius"),
        "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
        "ºF": ("degree Fahrenheit", "degrees Fahrenheit"),
        "°": ("degree", "degrees"),
        "º": ("degree", "degrees"),
        "mph": ("mile per hour", "miles per hour"),
        "km/h": ("kilometer per hour", "kilometers per hour"),
        "kph": ("kilometer per hour", "kilometers per hour"),
        "s": ("second", "seconds"),
        "sec": ("second", "seconds"),
        "secs": ("second", "seconds"),
        "ms": ("millisecond", "milliseconds"),
        "min": ("minute", "minutes"),
        "mins": ("minute", "minutes"),
        "h": ("hour", "hours"),
        "hr": ("hour", "hours"),
        "hrs": ("hour", "hours"),
        "yr": ("year", "years"),
        "yrs": ("year", "years"),
        "KB": ("kilobyte", "kilobytes"),
        "kB": ("kilobyte", "kilobytes"),
        "MB": ("megabyte", "megabytes"),
        "GB": ("gigabyte", "gigabytes"),
        "TB": ("terabyte", "terabytes"),
        "Mbps": ("megabit per second", "megabits per second"),
        "Gbps": ("gigabit per second", "gigabits per second"),
        "Hz": ("hertz", "hertz"),
        "kHz": ("kilohertz", "kilohertz"),
        "MHz": ("megahertz", "megahertz"),
        "GHz": ("gigahertz", "gigahertz"),
        "W": ("watt", "watts"),
        "kW": ("kilowatt", "kilowatts"),
        "MW": ("megawatt", "megawatts"),
        "kWh": ("kilowatt hour", "kilowatt hours"),
        "V": ("volt", "volts"),
        "mAh": ("milliamp hour", "milliamp hours"),
        "dB": ("decibel", "decibels"),
        "kcal": ("kilocalorie", "kilocalories"),
        "cal": ("calorie", "calories"),
        "px": ("pixel", "pixels"),
        "fps": ("frame per second", "frames per second"),
        "ha": ("hectare", "hectares"),
        "m²": ("square meter", "square meters"),
        "km²": ("square kilometer", "square kilometers"),
        "m³": ("cubic meter", "cubic meters"),
        "cm³": ("cubic centimeter", "cubic centimeters"),
        "sq ft": ("square foot", "square feet"),
        "%": ("percent", "percent"),
        "‰": ("per mille", "per mille"),
    },
    currencies={
        "$": _DOLLAR,
        "US$": _DOLLAR,
        "USD": Currency("US dollar", "US dollars", "cent", "cents"),
        "€": _EURO,
        "EUR": _EURO,
        "£": _POUND,
        "GBP": _POUND,
        "¥": _YEN,
        "JPY": _YEN,
        "MX$": Currency("Mexican peso", "Mexican pesos", "centavo", "centavos"),
        "MXN": Currency("Mexican peso", "Mexican pesos", "centavo", "centavos"),
        "CAD": Currency("Canadian dollar", "Canadian dollars", "cent", "cents"),
        "AUD": Currency("Australian dollar", "Australian dollars", "cent", "cents"),
        "CHF": Currency("Swiss franc", "Swiss francs", "centime", "centimes"),
        "CNY": Currency("yuan", "yuan"),
        "₹": Currency("rupee", "rupees", "paisa", "paise"),
        "INR": Currency("rupee", "rupees", "paisa", "paise"),
        "₩": Currency("won", "won"),
        "₿": Currency("bitcoin", "bitcoins"),
        "BTC": Currency("bitcoin", "bitcoins"),
        "¢": Currency("cent", "cents"),
        "₽": Currency("ruble", "rubles", "kopek", "kopeks"),
    },
    scales={
        "k": "thousand",
        "K": "thousand",
        "m": "million",
        "M": "million",
        "mn": "million",
        "bn": "billion",
        "B": "billion",
        "b": "billion",
        "T": "trillion",
        "thousand": "thousand",
        "million": "million",
        "billion": "billion",
        "trillion": "trillion",
    },
    abbreviations=(
        (r"\bDr\b\.?(?= ?[A-Z])", "Doctor"),
        (r"\bMr\b\.?", "Mister"),
        (r"\bMrs\b\.?", "Missus"),
        (r"\bMs\b\.", "Miz"),
        (r"\bProf\b\.", "Professor"),
        (r"\bGen\.(?= [A-Z])", "General"),
        (r"\bSen\.(?= [A-Z])", "Senator"),
        (r"\bRev\.(?= [A-Z])", "Reverend"),
        (r"\bCapt\.(?= [A-Z])", "Captain"),
        (r"\bLt\.(?= [A-Z])", "Lieutenant"),
        (r"\bSgt\.(?= [A-Z])", "Sergeant"),
        (r"\bCol\.(?= [A-Z])", "Colonel"),
        (r"(?<=[a-z] )St\b\.?(?=[\s,;:!?.]|$)(?! [A-Z])", "Street"),
        (r"(?<=[a-z] )Ave\b\.?", "Avenue"),
        (r"(?<=[a-z] )Rd\b\.?", "Road"),
        (r"(?<=[a-z] )Blvd\b\.?", "Boulevard"),
        (r"\bSt\.? (?=[A-Z])", "Saint "),
        (r"\bMt\.? (?=[A-Z])", "Mount "),
        (r"\bJr\b\.?", "Junior"),
        (r"\bSr\b\.?", "Senior"),
        (r"\be\.g\.,?", "for example,"),
        (r"\bi\.e\.,?", "that is,"),
        (r"\beg\.", "for example"),
        (r"\betc\.(?= *$| +[A-Z])", "et cetera."),
        (r"\betc\b\.?", "et cetera"),
        (r"\bvs\b\.?", "versus"),
        (r"\bapprox\b\.", "approximately"),
        (r"\b[Nn]o\.(?= ?\d)", "number"),
        (r"\bpp\.(?= ?\d)", "pages"),
        (r"\bp\.(?= ?\d)", "page"),
        (r"\b[Vv]ol\.(?= ?\d)", "volume"),
        (r"\b[Ff]ig\.(?= ?\d)", "figure"),
        (r"\bch\.(?= ?\d)", "chapter"),
        (r"\b[Dd]ept\b\.", "department"),
        (r"\b[Gg]ovt\b\.", "government"),
        (r"\b[Aa]pt\b\.(?= ?\w)", "apartment"),
        (r"\bInc\b\.", "Incorporated"),
        (r"\bLtd\b\.", "Limited"),
        (r"\bCorp\b\.", "Corporation"),
        (r"\best\.(?= ?\d)", "established"),
        (r"\bmin\.(?= )", "minimum"),
        (r"\bmax\.(?= )", "maximum"),
        (r"\bw/o\b", "without"),
        (r"\bw/(?= ?\w)", "with "),
        (r"\bPh\.?D\b\.?", "P H D"),
        (r"\ba\.k\.a\.", "also known as"),
        (r"\bOK\b", "okay"),
        (r"\bASAP\b", "as soon as possible"),
        (r"\bAT&T\b", "A T and T"),
        (r"\bC\+\+", "C plus plus"),
        (r"\bC#", "C sharp"),
        (r"\b24/7\b", "twenty-four seven"),
        (r"\b9/11\b", "nine eleven"),
        (r"\bMon\.", "Monday"),
        (r"\bTues?\.", "Tuesday"),
        (r"\bWed\.", "Wednesday"),
        (r"\bThurs?\.", "Thursday"),
        (r"\bFri\.", "Friday"),
        (r"\bSat\.(?= )", "Saturday"),
    ),
    months={name.lower(): i for i, full in enumerate(MONTHS, 1) for name in (full, full[:3])}
    | {"sept": 9},
    acronym_words=frozenset(
        "NASA NATO UNICEF UNESCO NAFTA OPEC AIDS LASER RADAR SCUBA RAM ROM SIM PIN GIF JPEG LAN "
        "WAN WASP FIFA UEFA NASDAQ COVID SARS FEMA OSHA HIPAA LEGO IKEA VISA TED NERF SWAT YOLO "
        "FOMO BIOS CRUD SOAP REST LIDAR SONAR".split()
    ),
    spelled=frozenset(
        "US USA FBI CIA NBA API AI IT UK EU UN ID IP OS UI UX TV CEO CFO CTO IOU DIY FAQ IPO "
        "AOL IOS IEEE AAA USDA".split()
    ),
    shouted=frozenset(
        "A ALL ALSO ALWAYS AM AN AND ANY ARE AT BE BIG BUT BY CAN DO DOES DONT EVEN EVER FOR FROM "
        "FREE GO GOOD HAS HAVE HE HELLO HELP HER HERE HIS HOT HOW I IF IN INTO IS ITS JUST KEY "
        "LOVE MAY MORE MOST MUST MY NEVER NEW NO NOT NOW OF OFF ON ONE ONLY OR OUR OUT OVER READ "
        "REAL SALE SAY SEE SHE SO SOME STOP THAT THE THEIR THEM THEN THEY THIS TO TOO TWO UP "
        "VERY WAIT WAS WE WELL WERE WHAT WHEN WHO WHY WILL WITH YES YOU YOUR NOTE TIP WOW".split()
    ),
    date=_date,
    time=_time,
    fraction=_fraction,
    roman=_roman,
)
