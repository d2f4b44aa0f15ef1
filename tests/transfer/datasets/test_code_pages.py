"""Names of things in the code pages of countries: each set is told for what it is."""

import pytest

from transfer.datasets import code_pages

#: Names of classes by the code page that a zip tool of that country writes.
NAMES = {
    "gbk": [
        "猫|狗|花",
        "苹果|香蕉|橙子",
        "玫瑰|向日葵",
        "良性|恶性",
        "合格|不合格",
        "正常|划痕|裂纹",
        "飞机|汽车|轮船",
        "可回收垃圾|厨余垃圾|有害垃圾|其他垃圾",
        "张三|李四|王五",
        "蒲公英|雏菊|郁金香",
        "苏州|杭州",
        "桌子|椅子",
        "训练集|测试集",
        "脊柱侧弯|骨折",
        "螺丝|螺母",
        "锈病|白粉病|健康",
        "新建文件夹",
        "比熊|柯基|哈士奇",
    ],
    "big5": [
        "功能|功夫|狗",
        "貓|狗|鳥",
        "蘋果|香蕉|橘子",
        "良性|惡性",
        "正常|刮傷|裂痕",
        "台北|高雄",
        "飛機|汽車|輪船",
        "玫瑰|向日葵|鬱金香",
        "許功蓋|枯萎",
        "螺絲|螺帽",
        "訓練|測試",
        "珍珠奶茶|滷肉飯",
        "健康|生病",
    ],
    "cp932": [
        "ソース|ソファ|犬",
        "猫|犬",
        "りんご|みかん",
        "良品|不良品",
        "キズ|汚れ|正常",
        "東京|大阪",
        "車|飛行機|船",
        "薔薇|桜|菊",
        "表|裏",
        "寿司|天ぷら|ラーメン",
        "柴犬|秋田犬",
        "新しいフォルダー",
        "能|構",
    ],
    "cp949": [
        "고양이|개",
        "사과|바나나",
        "정상|불량",
        "강아지|새",
        "장미|해바라기",
        "서울|부산",
        "양성|음성",
    ],
    "cp866": [
        "кот|собака",
        "Кошки|Собаки",
        "яблоко|груша",
        "норма|брак",
        "ДЕФЕКТ|НОРМА",
        "роза|тюльпан|подсолнух",
        "кошка|мышь",
        "Ёлка|дуб",
        "берёза|клён",
        "Новая папка",
        "дом|стол",
    ],
    "cp1251": [
        "кот|собака",
        "Кошки|Собаки",
        "яблоко|груша",
        "ДЕФЕКТ|НОРМА",
        "кошка|мышь",
    ],
    "cp1252": [
        "café|thé",
        "Äpfel|Birnen",
        "Straße|Häuser",
        "perro|niño",
        "pájaro|león",
        "maçã|pão",
        "fraîche|séchée",
        "smörgås|bröd",
        "Löwenzahn|Gänseblümchen",
        "défaut|conforme",
        "œuf|bœuf",
    ],
    "cp437": [
        "café|thé",
        "Äpfel|Birnen",
        "niño|león",
        "Häuser|Bäume",
        "fraîche|séchée",
        "Löwenzahn|Gänseblümchen",
        "Straße|Häuser",
        "Änderung",
        "über|schön",
    ],
    "cp850": [
        "maçã|pão",
        "ação|coração",
        "Áustria|São Paulo",
        "Øl|blåbær",
    ],
}


@pytest.mark.parametrize(
    ("code_page", "names"),
    [(page, names) for page, sets in NAMES.items() for names in sets],
)
def test_guess__names_in_a_code_page(code_page: str, names: str) -> None:
    written = [f"set/{one}/1.jpg".encode(code_page) for one in names.split("|")]
    guessed = code_pages.guess(written)
    assert [one.decode(guessed) for one in written] == [
        one.decode(code_page) for one in written
    ]


def test_guess__utf8_is_always_told() -> None:
    written = ["猫/1.jpg", "кот/1.jpg", "café/1.jpg"]
    assert code_pages.guess([one.encode() for one in written]) == "utf-8"


def test_guess__what_is_of_no_code_page_is_still_read() -> None:
    guessed = code_pages.guess([b"\xff\xff\x81", bytes(range(1, 256))])
    assert code_pages.decode(b"\xff\xff\x81", guessed)
