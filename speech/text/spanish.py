# ruff: noqa: RUF001, SIM905  # signs people type; word lists read best as prose
"""Spanish: how dates, times, units, money and abbreviations are read aloud (day before month)."""

from speech.text.locale import Currency, Locale
from speech.text.numbers import cardinal, ordinal, year

MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
    "octubre", "noviembre", "diciembre",
)  # fmt: skip
_DENOMINATORS = {2: ("medio", "medios"), 3: ("tercio", "tercios")}
_SECTIONS = frozenset(
    "capítulo parte tomo volumen acto título anexo tipo fase nivel figura artículo sección tabla "
    "guerra mundial".split()
)
_FEMININE_NAMES = frozenset(("la", "Isabel", "Beatriz"))
_LAST_ORDINAL = 10  # kings, popes and centuries are ordinal up to ten: Felipe segundo, Luis once


def _date(y: int | None, month: int, day: int) -> str:
    text = f"{'primero' if day == 1 else cardinal(day, 'es')} de {MONTHS[month - 1]}"
    return text if y is None else f"{text} de {year(y, 'es')}"


def _time(hour: int, minute: int, second: int | None, meridiem: str) -> str:
    text = cardinal(hour, "es", "hora") if hour else "cero"
    spoken_clock = hour <= 12
    if not minute:
        text += "" if meridiem else " en punto" if hour else " horas"
    elif spoken_clock and minute in (15, 30) and not second:
        text += " y media" if minute == 30 else " y cuarto"
    else:
        zero = "cero " if minute < 10 and not spoken_clock else ""
        text += f" {'y ' if spoken_clock else ''}{zero}{cardinal(minute, 'es')}"
    if second:
        text += f" con {cardinal(second, 'es', 'segundo')} segundo{'s' if second != 1 else ''}"
    return text + _part_of_day(hour, meridiem)


def _part_of_day(hour: int, meridiem: str) -> str:
    if meridiem == "am":
        return " de la mañana" if 0 < hour < 12 else " de la noche"
    if meridiem == "pm":
        return " del mediodía" if hour == 12 else " de la noche" if hour >= 8 else " de la tarde"
    return ""


def _fraction(numerator: int, denominator: int) -> str:
    if denominator in _DENOMINATORS:
        name = _DENOMINATORS[denominator][numerator != 1]
    elif 4 <= denominator <= 10:
        name = ordinal(denominator, "es") + ("s" if numerator != 1 else "")
    else:
        return f"{cardinal(numerator, 'es')} sobre {cardinal(denominator, 'es')}"
    return f"{cardinal(numerator, 'es', 'medio')} {name}"


def _roman(before: str, value: int) -> str:
    if before.lower() in _SECTIONS or value > _LAST_ORDINAL:
        return cardinal(value, "es")
    if before in _FEMININE_NAMES or (before.endswith("a") and before.lower() != "papa"):
        return ordinal(value, "es", "feminine")
    return ordinal(value, "es")


_DOLLAR = Currency("dólar", "dólares", "centavo", "centavos")
_EURO = Currency("euro", "euros", "céntimo", "céntimos")
_POUND = Currency("libra", "libras", "penique", "peniques")
_YEN = Currency("yen", "yenes")

SPANISH = Locale(
    language="es",
    words={
        "minus": "menos",
        "to": "a",
        "and": "y",
        "or": "o",
        "per": "por",
        "at": "arroba",
        "dot": "punto",
        "slash": "barra",
        "underscore": "guion bajo",
        "dash": "guion",
        "plus": "más",
        "times": "por",
        "over": "entre",
        "by": "por",
        "half": "y",
        "hashtag": "hashtag",
        "number": "número",
        "version": "versión",
        "power": "elevado a",
        "squared": "al cuadrado",
        "cubed": "al cubo",
        "point": "punto",
        "cents": "con",
        "of": "de ",
        "about": "unos",
        "feet": "pies",
        "inches": "pulgadas",
    },
    symbols={
        "&": "y",
        "+": "más",
        "=": "igual a",
        "@": "arroba",
        "%": "por ciento",
        "×": "por",
        "÷": "entre",
        "±": "más o menos",
        "<": "menor que",
        ">": "mayor que",
        "≤": "menor o igual que",
        "≥": "mayor o igual que",
        "≠": "distinto de",
        "≈": "aproximadamente",
        "∞": "infinito",
        "π": "pi",
        "√": "raíz cuadrada de ",
        "°": "grados",
        "§": "sección",
        "∑": "suma de",
        "µ": "micro",
        "№": "número",
        "¢": "centavos",
    },
    units={
        "km": ("kilómetro", "kilómetros"),
        "m": ("metro", "metros"),
        "cm": ("centímetro", "centímetros"),
        "mm": ("milímetro", "milímetros"),
        "nm": ("nanómetro", "nanómetros"),
        "mi": ("milla", "millas"),
        "ft": ("pie", "pies"),
        "kg": ("kilogramo", "kilogramos"),
        "g": ("gramo", "gramos"),
        "gr": ("gramo", "gramos"),
        "mg": ("miligramo", "miligramos"),
        "lb": ("libra", "libras"),
        "lbs": ("libra", "libras"),
        "oz": ("onza", "onzas"),
        "t": ("tonelada", "toneladas"),
        "l": ("litro", "litros"),
        "L": ("litro", "litros"),
        "ml": ("mililitro", "mililitros"),
        "mL": ("mililitro", "mililitros"),
        "cl": ("centilitro", "centilitros"),
        "°C": ("grado Celsius", "grados Celsius"),
        "ºC": ("grado Celsius", "grados Celsius"),
        "°F": ("grado Fahrenheit", "grados Fahrenheit"),
        "ºF": ("grado Fahrenheit", "grados Fahrenheit"),
        "°": ("grado", "grados"),
        "mph": ("milla por hora", "millas por hora"),
        "km/h": ("kilómetro por hora", "kilómetros por hora"),
        "s": ("segundo", "segundos"),
        "seg": ("segundo", "segundos"),
        "ms": ("milisegundo", "milisegundos"),
        "min": ("minuto", "minutos"),
        "h": ("hora", "horas"),
        "hs": ("hora", "horas"),
        "hrs": ("hora", "horas"),
        "KB": ("kilobyte", "kilobytes"),
        "kB": ("kilobyte", "kilobytes"),
        "MB": ("megabyte", "megabytes"),
        "GB": ("gigabyte", "gigabytes"),
        "TB": ("terabyte", "terabytes"),
        "Mbps": ("megabit por segundo", "megabits por segundo"),
        "Gbps": ("gigabit por segundo", "gigabits por segundo"),
        "Hz": ("hercio", "hercios"),
        "kHz": ("kilohercio", "kilohercios"),
        "MHz": ("megahercio", "megahercios"),
        "GHz": ("gigahercio", "gigahercios"),
        "W": ("vatio", "vatios"),
        "kW": ("kilovatio", "kilovatios"),
        "MW": ("megavatio", "megavatios"),
        "kWh": ("kilovatio hora", "kilovatios hora"),
        "V": ("voltio", "voltios"),
        "mAh": ("miliamperio hora", "miliamperios hora"),
        "dB": ("decibelio", "decibelios"),
        "kcal": ("kilocaloría", "kilocalorías"),
        "cal": ("caloría", "calorías"),
        "px": ("píxel", "píxeles"),
        "ha": ("hectárea", "hectáreas"),
        "m²": ("metro cuadrado", "metros cuadrados"),
        "km²": ("kilómetro cuadrado", "kilómetros cuadrados"),
        "m³": ("metro cúbico", "metros cúbicos"),
        "cm³": ("centímetro cúbico", "centímetros cúbicos"),
        "%": ("por ciento", "por ciento"),
        "‰": ("por mil", "por mil"),
    },
    currencies={
        "$": _DOLLAR,
        "US$": _DOLLAR,
        "USD": _DOLLAR,
        "€": _EURO,
        "EUR": _EURO,
        "£": _POUND,
        "GBP": _POUND,
        "¥": _YEN,
        "JPY": _YEN,
        "MX$": Currency("peso mexicano", "pesos mexicanos", "centavo", "centavos"),
        "MXN": Currency("peso mexicano", "pesos mexicanos", "centavo", "centavos"),
        "ARS": Currency("peso argentino", "pesos argentinos", "centavo", "centavos"),
        "COP": Currency("peso colombiano", "pesos colombianos", "centavo", "centavos"),
        "CLP": Currency("peso chileno", "pesos chilenos"),
        "PEN": Currency("sol", "soles", "céntimo", "céntimos"),
        "CHF": Currency("franco suizo", "francos suizos", "céntimo", "céntimos"),
        "CNY": Currency("yuan", "yuanes"),
        "₹": Currency("rupia", "rupias"),
        "₿": Currency("bitcoin", "bitcoins"),
        "BTC": Currency("bitcoin", "bitcoins"),
        "¢": Currency("centavo", "centavos"),
        "₩": Currency("won", "wones"),
    },
    scales={
        "k": "mil",
        "K": "mil",
        "M": "millones",
        "mil millones": "mil millones",
        "mil": "mil",
        "millón": "millón",
        "millones": "millones",
        "billón": "billón",
        "billones": "billones",
    },
    abbreviations=(
        (r"\bSr\b\.?", "señor"),
        (r"\bSra\b\.?", "señora"),
        (r"\bSrta\b\.?", "señorita"),
        (r"\bSres\b\.?", "señores"),
        (r"\bDr\b\.?", "doctor"),
        (r"\bDra\b\.?", "doctora"),
        (r"\bDña\b\.?", "doña"),
        (r"\bD\. (?=[A-ZÁÉÍÓÚ])", "don "),
        (r"\bProf\b\.", "profesor"),
        (r"\bProfa\b\.", "profesora"),
        (r"\bLic\b\.", "licenciado"),
        (r"\bIng\b\.", "ingeniero"),
        (r"\b[UV]ds\b\.?", "ustedes"),
        (r"\b[UV]d\b\.?", "usted"),
        (r"\bSta\b\.?(?= [A-ZÁÉÍÓÚ])", "Santa"),
        (r"\bSto\b\.?(?= [A-ZÁÉÍÓÚ])", "Santo"),
        (r"\bEE\. ?UU\.(?= *$)", "Estados Unidos."),
        (r"\bEE\.? ?UU\b\.?", "Estados Unidos"),
        (r"\bJJ\. ?OO\.", "Juegos Olímpicos"),
        (r"\bRR\. ?HH\.", "recursos humanos"),
        (r"\betc\.(?= *$| +[A-ZÁÉÍÓÚÑ¿¡])", "etcétera."),
        (r"\betc\b\.?", "etcétera"),
        (r"\bp\. ?ej\.,?", "por ejemplo,"),
        (r"\bpágs?\.(?= ?\d)", "página"),
        (r"\bp\.(?= ?\d)", "página"),
        (r"\b[Nn]úm\.(?= ?\d)", "número"),
        (r"\b[Nn]\.?º(?= ?\d)", "número"),
        (r"\b[Nn]o\.(?= ?\d)", "número"),
        (r"\bart\.(?= ?\d)", "artículo"),
        (r"\bcap\.(?= ?\d)", "capítulo"),
        (r"\bvol\.(?= ?\d)", "volumen"),
        (r"\bfig\.(?= ?\d)", "figura"),
        (r"\b[Aa]vd?a?\.", "avenida"),
        (r"\b[Cc]/ ?(?=[A-ZÁÉÍÓÚ])", "calle "),
        (r"\btel\.", "teléfono"),
        (r"\baprox\.", "aproximadamente"),
        (r"\bmáx\.", "máximo"),
        (r"\bmín\.", "mínimo"),
        (r"\bdpto\.", "departamento"),
        (r"\bGral\.", "general"),
        (r"\ba\. ?C\.", "antes de Cristo"),
        (r"\bd\. ?C\.", "después de Cristo"),
        (r"\bS\. ?A\.", "sociedad anónima"),
        (r"\bvs\b\.?", "contra"),
        (r"\bC\+\+", "ce más más"),
        (r"(?<![\d/] )(?<!\d)1/2 (?=[a-z]+as?\b)", "media "),
        (r"(?<![\d/] )(?<!\d)1/2 (?=[a-z]+os?\b)", "medio "),
        (r"\b24/7\b", "veinticuatro siete"),
        (r"\bOK\b", "okey"),
        (r"\bh\.(?= |$)", "h"),
    ),
    months={name: i for i, full in enumerate(MONTHS, 1) for name in (full, full[:3])}
    | {"setiembre": 9, "sept": 9},
    acronym_words=frozenset(
        "NASA ONU OTAN UNESCO UNICEF FIFA UEFA IVA OVNI SIDA COVID RENFE UNAM PEMEX OEA RAM ROM "
        "SIM PIN LED AVE".split()
    ),
    spelled=frozenset("ONG OMS IA API EEUU UE EUA CIA".split()),
    shouted=frozenset(
        "AL AQUÍ BIEN COMO CON CUANDO DE DEL DESDE EL ELLA EN ES ESA ESE ESO ESTA ESTE ESTO ESTÁ "
        "ESTÁS FIN FUE GRAN GRATIS HAY HE HOLA HOY LA LAS LO LOS MAL MI MUY MÁS NI NO NOTA NUNCA "
        "OJO PARA PERO POR QUE QUÉ SE SER SI SIN SOBRE SU SUS SÍ TE TODO TODOS TU TÚ UN UNA VA "
        "VAMOS YA YO".split()
    ),
    date=_date,
    time=_time,
    fraction=_fraction,
    roman=_roman,
    letters=dict(
        zip(
            "abcdefghijklmnñopqrstuvwxyz",
            "a be ce de e efe ge hache i jota ka ele eme ene eñe o pe cu erre ese te u uve "
            "uve·doble equis ye zeta".replace("·", "-").split(),
            strict=True,
        )
    ),
    domain_words=frozenset({"es", "co", "eu", "ar", "us"}),
)
