"""The code page of names in a zip: guessed over all of them together.

Tools of Windows write names in the code page of their country and do not say so. What
is written is a class's name, so that a wrong guess would be seen by everybody.
"""

import unicodedata
from collections.abc import Collection

from transfer.errors import DatasetError

#: Code pages by their names in Python, and what people call them.
CODE_PAGES: dict[str, str] = {
    "utf-8": "UTF-8",
    "gbk": "GBK (Chinese, simplified)",
    "big5": "Big5 (Chinese, traditional)",
    "cp932": "Shift-JIS (Japanese)",
    "cp949": "CP949 (Korean)",
    "cp866": "CP866 (Cyrillic, DOS)",
    "cp1251": "CP1251 (Cyrillic, Windows)",
    "cp1252": "CP1252 (Western Europe, Windows)",
    "cp437": "CP437 (DOS)",
    "cp850": "CP850 (Western Europe, DOS)",
}
#: That Python's module for zips reads names in where nothing is said of them.
DEFAULT = "cp437"

#: Names that are judged; a zip of many has as much to tell in some of them.
JUDGED = 2000

#: First bytes of the characters that a double-byte code page has for everyday words.
_EVERYDAY = {
    "gbk": (0xB0, 0xD7),
    "big5": (0xA4, 0xC6),
    "cp932": (0x88, 0x97),
    "cp949": (0xB0, 0xC8),
}

#: Signs that names of things are made of, in all ways of writing them. Every code page
#: has thousands more, so that a wrong one hits these seldom.
_COMMON = frozenset(
    "一二三四五六七八九十百千万零第大小中上下左右前后後東西南北东内外高低长長短多少新旧老年月日"
    "時时分天地人男女子孩童手足脚腳头頭眼耳鼻口牙面脸臉身体體心肺肝腎肾胃骨腦脑皮血病正常良恶惡"
    "性癌瘤炎症损損伤傷坏壞好不无無有真假合格缺陷裂紋纹划痕污点點斑孔洞气泡氣破断斷"
    "红紅橙黄黃绿綠蓝藍靑青紫黑白灰金银銀铜銅铁鐵色花草木树樹林叶葉根果实實种種菜瓜豆米麦麥玫瑰"
    "菊兰蘭梅竹荷莲蓮桃李杏梨苹蘋柠檸檬葡萄蕉莓橘柑椒茄葱蒜姜薯番玉向葵郁鬱香蒲公英百合牡丹"
    "猫貓狗犬马馬牛羊猪豬鸡雞鸭鴨鹅鵝鸟鳥鱼魚虫蟲蛇鼠兔虎狮獅象熊猴狼狐鹿龙龍龟龜蛙蝶蜂蚁蟻蟹虾蝦"
    "鲸鯨鹰鷹鴉鸦雀燕鸽鴿鹤鶴企鹅貂獭蜘蛛甲鲨鯊"
    "山水河海湖江岛島沙石土火風风雨雪云雲雷电電光星空田野路道桥橋城市村镇鎮街巷房屋楼樓家室门門窗"
    "车車船飞飛机機汽自行火轮輪卡货貨客公交校园園学學医醫院店场場厂廠站港塔寺庙廟"
    "食饭飯面麵包饼餅肉蛋奶茶酒汤湯糖盐鹽油菜冰淇淋蛋糕披萨鱼丸寿司拉功夫能力"
    "衣服裤褲裙鞋帽袜襪包表錶杯碗盘盤刀叉勺筷桌椅床灯燈書书笔筆纸紙球琴鼓画畫图圖片照相"
    "塑料玻璃金属屬布瓶罐箱盒袋垃圾回收可厨廚余餘有害其他它类類别別号號型样樣本数數据據集訓训练練"
    "测測试試验驗证證检檢查原始文件夹夾新建资資料动動植物品商标標志誌识識别工业業农農"
    "国國中美日英法德韩韓文字語语言名姓的是在和与與了我你他们們这這那来來去出入开開关關用为為"
    "对對错錯是否螺丝絲钉釘母齿齒弹彈簧锈鏽州张張王李赵趙刘劉陈陳杨楊许許盖蓋枯萎健康"
    "写寫真像画像写真検査料理車両駅桜鮫猿鶏亀蛍虫魚貝花束本気電話広場図書館黒緑赤茶円形角丸"
    "이가나다라마바사아자차카타파하고기거구그개계과관교국군금길김남내노녀년농눈달대도동두들등로리만말매"
    "면명모목무문물미민박반방배백범병보복부북분불비산상새색생서석선성세소속송수술시식신실심십안야양어여역"
    "연영오온올와왕외요용우운울원위유육은음의인일작장재저적전정제조종주중지진질집참창책천철청체초추출충치침"
    "커코콩크키탄태토통트특판팔포표풀품피학한함합항해행향허현형호혼홍화환황회효후훈휴강량판"
)
#: Letters with accents that Western European words are full of.
_WESTERN = frozenset("äöüàâáãåçéèêëíîïñóôõúûøæœÄÖÜÉÅØÇÀÁÈÊÓÚÑ")

_RUSSIAN = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
_UKRAINIAN = frozenset("іїєґў")


def guess(names: Collection[bytes]) -> str:
    """The code page in which all names together read best, such as `gbk`."""
    parts = {part for name in names for part in name.split(b"/") if not part.isascii()}
    all_of_them = b"/".join(sorted(parts))
    scores: dict[str, float] = {}
    for page in CODE_PAGES:
        try:
            text = all_of_them.decode(page)
        except UnicodeDecodeError:
            continue
        if page == "utf-8" and max(text) > "\u07ff":
            return page  # hardly any other text is valid UTF-8 of three bytes a sign
        judged = text.split("/")[:: 1 + len(parts) // JUDGED]
        scores[page] = sum(_score(one, page) for one in judged)
    return max(scores, key=lambda page: scores[page])


def decode(name: bytes, page: str) -> str:
    """The name in this code page.

    Raises:
        DatasetError: There is no such code page, or the name cannot be of it.
    """
    try:
        return name.decode(page)
    except LookupError as error:
        raise DatasetError(
            f'There is no code page "{page}".', f"Known: {', '.join(CODE_PAGES)}."
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"The name {name!r} is not written in {CODE_PAGES.get(page, page)}.",
            "Choose another code page, or let it be found out.",
        ) from error


def _score(text: str, page: str) -> float:
    """How well a name reads; every byte of it counts alike."""
    around = [" ", *text, " "]
    likelier = 0.5 if page == "utf-8" else 0.0
    return sum(
        (_weight(before, one, after, page) + likelier) * len(one.encode(page))
        for before, one, after in zip(around, text, around[2:], strict=False)
        if not one.isascii()
    )


def _weight(before: str, one: str, after: str, page: str) -> float:
    """From -3 for what no name has to 2 for what names are made of."""
    script = _script(one)
    touches_latin = "LATIN" in (_script(before), _script(after))
    if script in ("CJK", "HANGUL"):
        return -1.0 if touches_latin else _weight_of_sign(one, page)
    if script in ("HIRAGANA", "KATAKANA"):
        return 0.0 if touches_latin else 2.0
    if script == "LATIN":
        if before.islower() and one.isupper():
            return -2.0
        is_alone = before.isascii() and after.isascii()
        if page != "utf-8" and not is_alone:
            return -0.5
        return 1.0 if one in _WESTERN else 0.3
    if script == "CYRILLIC":
        if touches_latin or (before.islower() and one.isupper()):
            return -1.5
        if one.lower() not in _RUSSIAN:
            return 0.2 if one.lower() in _UKRAINIAN else -0.5
        return 0.6 if before.isupper() and one.isupper() else 1.0
    if page == "utf-8" and " LETTER " in unicodedata.name(one, ""):
        return 1.0  # Greek, Arabic, Hebrew: no other of these code pages has them
    return -1.0 if one.isalpha() else -2.0 if one.isprintable() else -3.0


def _weight_of_sign(one: str, page: str) -> float:
    if one in _COMMON:
        return 2.0
    low, high = _EVERYDAY.get(page, (0, 0))
    return 0.8 if low <= one.encode(page)[0] <= high else -1.5


def _script(one: str) -> str:
    """Of a letter; half-width signs, of which no name is made, are of none."""
    return unicodedata.name(one, "").partition(" ")[0] if one.isalpha() else ""
