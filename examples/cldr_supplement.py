"""What CLDR 47 says of territories and Babel does not pass on: the UN's members by region, and who prints on Letter.

Transcribed from two files of the Unicode Common Locale Data Repository, release 47 (Unicode License V3):
supplemental/territoryContainment (the grouping UN, and the sub-regions of the UN's standard M49) and
supplemental/measurementData (paperSize).  M49's own names are used where CLDR's English differs ("Australia and New
Zealand", "Micronesia", "South-eastern Asia").
"""

#: Region, sub-region, and the ISO 3166-1 codes of the UN members in it: 193 in all.
SUBREGIONS = (
    ("Africa", "Northern Africa", "DZ EG LY MA SD TN"),
    ("Africa", "Western Africa", "BF BJ CI CV GH GM GN GW LR ML MR NE NG SL SN TG"),
    ("Africa", "Middle Africa", "AO CD CF CG CM GA GQ ST TD"),
    ("Africa", "Eastern Africa", "BI DJ ER ET KE KM MG MU MW MZ RW SC SO SS TZ UG ZM ZW"),
    ("Africa", "Southern Africa", "BW LS NA SZ ZA"),
    ("Americas", "Northern America", "CA US"),
    ("Americas", "Central America", "BZ CR GT HN MX NI PA SV"),
    ("Americas", "Caribbean", "AG BB BS CU DM DO GD HT JM KN LC TT VC"),
    ("Americas", "South America", "AR BO BR CL CO EC GY PE PY SR UY VE"),
    ("Asia", "Western Asia", "AE AM AZ BH CY GE IL IQ JO KW LB OM QA SA SY TR YE"),
    ("Asia", "Central Asia", "KG KZ TJ TM UZ"),
    ("Asia", "Eastern Asia", "CN JP KP KR MN"),
    ("Asia", "Southern Asia", "AF BD BT IN IR LK MV NP PK"),
    ("Asia", "South-eastern Asia", "BN ID KH LA MM MY PH SG TH TL VN"),
    ("Europe", "Northern Europe", "DK EE FI GB IE IS LT LV NO SE"),
    ("Europe", "Western Europe", "AT BE CH DE FR LI LU MC NL"),
    ("Europe", "Eastern Europe", "BG BY CZ HU MD PL RO RU SK UA"),
    ("Europe", "Southern Europe", "AD AL BA ES GR HR IT ME MK MT PT RS SI SM"),
    ("Oceania", "Australia and New Zealand", "AU NZ"),
    ("Oceania", "Melanesia", "FJ PG SB VU"),
    ("Oceania", "Micronesia", "FM KI MH NR PW"),
    ("Oceania", "Polynesia", "TO TV WS"),
)

#: Countries whose usual paper is US Letter; everywhere else it is A4.
LETTER_PAPER = frozenset(["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "SV", "US", "VE"])
