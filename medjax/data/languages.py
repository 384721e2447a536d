"""English names of languages by ISO 639 code, as far as country descriptions of GeoNames need them.

Codes of whole families (ber is kept, people say "Berber"; cau, inc, sit, tut are not) and codes whose reading
is doubtful are left out.
"""

_TABLE = """
aa Afar|ady Adyghe|af Afrikaans|ak Akan|am Amharic|ar Arabic|arc Aramaic|as Assamese|av Avar|ay Aymara
az Azerbaijani|ba Bashkir|bal Balochi|be Belarusian|bem Bemba|ber Berber|bg Bulgarian|bho Bhojpuri|bi Bislama
bik Bikol|bm Bambara|bn Bengali|br Breton|brh Brahui|bs Bosnian|bua Buryat|ca Catalan|ce Chechen|ceb Cebuano
ch Chamorro|chk Chuukese|chm Mari|cmn Mandarin Chinese|co Corsican|cs Czech|cv Chuvash|cy Welsh|da Danish
de German|diq Zazaki|dje Zarma|doi Dogri|dv Dhivehi|dz Dzongkha|ee Ewe|el Greek|en English|es Spanish
et Estonian|eu Basque|fa Persian|ff Fula|fi Finnish|fil Filipino|fj Fijian|fo Faroese|fr French
frp Franco-Provençal|fud Futunan|fy West Frisian|ga Irish|gag Gagauz|gd Scottish Gaelic|gil Gilbertese
gl Galician|gn Guarani|gu Gujarati|gv Manx|ha Hausa|hak Hakka Chinese|haw Hawaiian|he Hebrew|hi Hindi
hil Hiligaynon|ho Hiri Motu|hr Croatian|ht Haitian Creole|hu Hungarian|hy Armenian|hz Herero|id Indonesian
ig Igbo|ilo Ilocano|inh Ingush|is Icelandic|it Italian|iu Inuktitut|ja Japanese|jv Javanese|ka Georgian
kbd Kabardian|kg Kongo|kk Kazakh|kl Greenlandic|km Khmer|kn Kannada|ko Korean|kok Konkani|kos Kosraean
kr Kanuri|krc Karachay-Balkar|ks Kashmiri|ku Kurdish|kv Komi|ky Kyrgyz|la Latin|lb Luxembourgish|lg Ganda
ln Lingala|lo Lao|loz Lozi|lt Lithuanian|lua Luba-Kasai|lus Mizo|lv Latvian|mdf Moksha|men Mende|mg Malagasy
mh Marshallese|mi Maori|miq Miskito|mk Macedonian|ml Malayalam|mn Mongolian|mni Manipuri|mnk Mandinka
mos Mossi|mr Marathi|ms Malay|mt Maltese|mwl Mirandese|my Burmese|myv Erzya|na Nauruan|nan Min Nan Chinese
nb Norwegian Bokmål|nd Northern Ndebele|ne Nepali|niu Niuean|nl Dutch|nn Norwegian Nynorsk|no Norwegian
nog Nogai|nr Southern Ndebele|nso Northern Sotho|ny Chewa|oc Occitan|om Oromo|or Odia|pa Punjabi
pag Pangasinan|pam Kapampangan|pap Papiamento|pau Palauan|pl Polish|pon Pohnpeian|ps Pashto|pt Portuguese
qu Quechua|rm Romansh|rn Kirundi|ro Romanian|rom Romani|ru Russian|rw Kinyarwanda|sa Sanskrit|sah Yakut
sat Santali|sc Sardinian|sd Sindhi|se Northern Sami|sg Sango|sh Serbo-Croatian|si Sinhala|sid Sidamo
sk Slovak|sl Slovene|sm Samoan|sma Southern Sami|smn Inari Sami|sn Shona|snk Soninke|so Somali|sq Albanian
sr Serbian|srn Sranan Tongo|ss Swazi|st Southern Sotho|sv Swedish|sw Swahili|ta Tamil|te Telugu|tem Temne
tet Tetum|tg Tajik|th Thai|ti Tigrinya|tig Tigre|tk Turkmen|tkl Tokelauan|tl Tagalog|tn Tswana|to Tongan
toi Tonga (Zambia)|tpi Tok Pisin|tr Turkish|ts Tsonga|tt Tatar|tum Tumbuka|tvl Tuvaluan|tw Twi|ty Tahitian
tyv Tuvan|udm Udmurt|ug Uyghur|uk Ukrainian|ur Urdu|uz Uzbek|ve Venda|vi Vietnamese|war Waray|wls Wallisian
wo Wolof|wuu Wu Chinese|xal Kalmyk|xh Xhosa|yao Yao|yap Yapese|yo Yoruba|yue Cantonese|za Zhuang|zh Chinese
zu Zulu
"""
LANGUAGES = dict(entry.split(' ', 1) for line in _TABLE.split('\n') for entry in line.split('|') if entry)
