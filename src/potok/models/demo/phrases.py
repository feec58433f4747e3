"""Every sentence that the demo model says in its own words, in both languages."""

from dataclasses import dataclass

from potok.models.demo.language import Language

__all__ = ["PHRASES", "Phrases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """What is said when; `{}` marks what is put in."""

    quotes: tuple[str, str]
    inner_quotes: tuple[str, str]

    hello: str
    hello_name: str
    greeting: str
    how_are_you: str
    welcome: str
    goodbye: str
    apology: str
    agreed: str
    refused: str
    praise: str
    who_am_i: str
    what_i_can: str
    connect: str
    nothing_asked: str
    only_instructions: str

    noted: str
    noted_flipped: str
    given: str
    earlier: str
    message: str
    flipped_earlier: str
    flipped_message: str
    unsure: str
    several: str
    summary: str
    nothing_to_summarise: str

    documents_how: str
    documents_what: str
    documents_other: str
    documents_closest: str
    documents_long: str
    related: str

    unknown: str
    unknown_again: str
    cannot_create: str
    cannot_translate: str
    personal_unknown: str
    no_words: str
    too_common: str
    other_script: str
    long_anyway: str
    all_i_have: str
    whole_said: str
    cannot_continue: str
    count_bounded: str


_EN = Phrases(
    quotes=("“", "”"),
    inner_quotes=("«", "»"),
    hello="Hello!",
    hello_name="Hello, {}!",
    greeting=(
        "I am the demo model of Potok: a small built-in program, not a language model. Ask me"
        " about Potok, give me some facts and ask about them, or say “count to 50” to watch a"
        " stream."
    ),
    how_are_you=(
        "I run as I should, thank you: no key, no network, no moods. What would you like to know"
        " about Potok?"
    ),
    welcome="You are welcome! Ask on if anything else comes up.",
    goodbye="Goodbye! Runs that are still going will go on without you.",
    apology="No harm done. What shall we try next?",
    agreed="Good. What would you like to know?",
    refused="All right. Ask me something else whenever you like.",
    praise="Thank you! I only quote what others wrote, but I do it in order.",
    who_am_i=(
        "I am the demo model of Potok: a small program that is built in, works offline and needs no"
        " key. I am not a language model: I answer from this conversation and from Potok's own"
        " documentation, and I know nothing else."
    ),
    what_i_can=(
        "What I can do:\n"
        "- answer questions about Potok: “How do I resume a stream?”\n"
        "- find facts in what you write: “My name is Anna. What is my name?”\n"
        "- count, calculate, repeat, list: “Count to 50”, “17 * 23”, “Repeat after me: hello”\n"
        "- give a long answer: “Tell me about Potok in detail”\n"
        "- show how I got there: “Think step by step: how do I cancel a run?”"
    ),
    connect=(
        "For real answers, connect a real model: set `OPENAI_API_KEY` (and `OPENAI_BASE_URL` for"
        " any other compatible server) and start `potok serve` again."
    ),
    nothing_asked="Your message is empty. Ask me something, for example “What is Potok?”",
    only_instructions=(
        "I have been given instructions, but no question yet. Ask me something, for example “What"
        " is Potok?”"
    ),
    noted="Noted. As long as this chat goes on, you can ask me about it, and I will quote you.",
    noted_flipped="Noted: {}. Ask me about it later in this chat.",
    given="The information that I was given says: {}",
    earlier="Earlier in this chat you wrote: {}",
    message="Your message says: {}",
    flipped_earlier="{}. You told me so earlier in this chat.",
    flipped_message="{}: your message says so.",
    unsure="I am not sure that this answers the question, but it is the closest I can find.",
    several="These passages come closest to the question:",
    summary=(
        "I cannot put a text into my own words, but these of its sentences share most with the"
        " rest of it:"
    ),
    nothing_to_summarise="I see no text to summarise. Paste it into the chat and ask again.",
    documents_how="This is how, from Potok's documentation.",
    documents_what="Potok's documentation puts it like this.",
    documents_other="Here is what Potok's documentation says about it.",
    documents_closest=(
        "Potok's documentation has no exact answer that I can find; this is the closest passage."
    ),
    documents_long="Here is Potok's documentation on this in detail.",
    related="Related: {}.",
    unknown=(
        "I do not know. I am Potok's demo model: a small program with no language model behind it,"
        " so I only know what this chat and Potok's documentation say, in English and Russian."
    ),
    unknown_again=(
        "I do not know that either: neither this chat nor Potok's documentation says anything about"
        " it that I can find, and I have no language model to ask. Set `OPENAI_API_KEY` and start"
        " `potok serve` again to talk to one."
    ),
    cannot_create=(
        "That takes a language model, and I am not one: I am Potok's demo model, a small program"
        " that quotes this chat and Potok's documentation but cannot write anything new."
    ),
    cannot_translate=(
        "I cannot translate. I am Potok's demo model, a small program with no language model behind"
        " it; a translation needs a real one."
    ),
    personal_unknown=(
        "You have not told me that in this chat, and I remember no other. Tell me, and I can quote"
        " it back to you."
    ),
    no_words="I see no words in your message. Ask me something, for example “What is Potok?”",
    too_common=(
        "I need a few more words: I look for the words of a question, and these are in every text."
        " For example: “How do I resume a stream?”"
    ),
    other_script=(
        "I am Potok's demo model and read only English and Russian. Ask me in one of them, for"
        " example “What is Potok?”"
    ),
    long_anyway=(
        "So that you still get a long stream to look at, here is Potok's documentation in detail."
    ),
    all_i_have="That is all that I have to say about Potok.",
    whole_said="That was the whole answer; there is nothing more to come.",
    cannot_continue="I can only go on with an answer of my own, and the one before is not mine.",
    count_bounded="That is as far as I count in one answer.",
)

_RU = Phrases(
    quotes=("«", "»"),
    inner_quotes=("„", "“"),
    hello="Здравствуйте!",
    hello_name="Здравствуйте, {}!",
    greeting=(
        "Я демонстрационная модель Potok: небольшая встроенная программа, а не языковая модель."
        " Спросите меня о Potok, сообщите какие-нибудь факты и задайте о них вопрос или напишите"
        " «посчитай до 50», чтобы увидеть поток."
    ),
    how_are_you=(
        "Спасибо, работаю исправно: без ключа, без сети и без настроения. Что рассказать о Potok?"
    ),
    welcome="Пожалуйста! Спрашивайте, если появится что-то ещё.",
    goodbye="До свидания! Запуски, которые ещё идут, продолжатся и без вас.",
    apology="Ничего страшного. Что попробуем дальше?",
    agreed="Хорошо. Что бы вы хотели узнать?",
    refused="Хорошо. Спросите о чём-нибудь другом, когда захотите.",
    praise="Спасибо! Я лишь привожу чужие слова, зато по порядку.",
    who_am_i=(
        "Я демонстрационная модель Potok: небольшая встроенная программа, которая работает без сети"
        " и без ключа. Я не языковая модель: я отвечаю по этому разговору и по документации Potok и"
        " больше ничего не знаю."
    ),
    what_i_can=(
        "Что я умею:\n"
        "- отвечать на вопросы о Potok: «Как продолжить поток?»\n"
        "- находить факты в том, что вы пишете: «Меня зовут Анна. Как меня зовут?»\n"
        "- считать, вычислять, повторять, перечислять: «Посчитай до 50», «17 * 23», «Повтори за"
        " мной: привет»\n"
        "- давать длинный ответ: «Расскажи о Potok подробно»\n"
        "- показывать ход мыслей: «Подумай: как отменить запуск?»"
    ),
    connect=(
        "Чтобы получать настоящие ответы, подключите настоящую модель: задайте `OPENAI_API_KEY`"
        " (и `OPENAI_BASE_URL` для другого совместимого сервера) и запустите `potok serve` заново."
    ),
    nothing_asked="Сообщение пустое. Спросите что-нибудь, например: «Что такое Potok?»",
    only_instructions=(
        "Мне дали указания, но вопроса пока нет. Спросите что-нибудь, например: «Что такое Potok?»"
    ),
    noted=("Запомню до конца этого разговора. Спросите меня об этом, и я приведу ваши слова."),
    noted_flipped="Принято: {}. Спросите меня об этом позже в этом разговоре.",
    given="В сведениях, которые мне дали, сказано: {}",
    earlier="Раньше в этом разговоре вы писали: {}",
    message="В вашем сообщении сказано: {}",
    flipped_earlier="{}. Вы сами сказали об этом раньше в этом разговоре.",
    flipped_message="{}: так сказано в вашем сообщении.",
    unsure="Не уверена, что это ответ на вопрос, но ничего ближе я не вижу.",
    several="Ближе всего к вопросу эти места:",
    summary=(
        "Пересказать текст своими словами я не могу, но вот его предложения, у которых больше всего"
        " общего с остальными:"
    ),
    nothing_to_summarise=(
        "Я не вижу текста для пересказа. Вставьте его в разговор и спросите ещё раз."
    ),
    documents_how="Вот как это делается, по документации Potok.",
    documents_what="В документации Potok об этом сказано так.",
    documents_other="Вот что говорит об этом документация Potok.",
    documents_closest=(
        "Точного ответа в документации Potok я не вижу; ближе всего к вопросу это место."
    ),
    documents_long="Вот подробности из документации Potok.",
    related="Смотрите также: {}.",
    unknown=(
        "Этого я не знаю. Я демонстрационная модель Potok — небольшая программа, за которой нет"
        " языковой модели. Мне известно только то, что сказано в этом разговоре и в документации"
        " Potok, по-русски и по-английски."
    ),
    unknown_again=(
        "Этого я тоже не знаю: ни в разговоре, ни в документации Potok я ничего об этом не вижу, а"
        " языковой модели за мной нет. Чтобы поговорить с настоящей, задайте `OPENAI_API_KEY` и"
        " запустите `potok serve` заново."
    ),
    cannot_create=(
        "Для этого нужна языковая модель, а я не она. Я демонстрационная модель Potok — небольшая"
        " программа, которая цитирует этот разговор и документацию Potok, но не умеет сочинять."
    ),
    cannot_translate=(
        "Переводить я не умею. Я демонстрационная модель Potok — небольшая программа, за которой"
        " нет языковой модели, а для перевода нужна настоящая."
    ),
    personal_unknown=(
        "В этом разговоре вы мне этого не говорили, а других я не помню. Расскажите — и я смогу"
        " напомнить."
    ),
    no_words="Я не вижу слов в сообщении. Спросите что-нибудь, например: «Что такое Potok?»",
    too_common=(
        "Мне нужно больше слов: я ищу слова вопроса, а такие есть в любом тексте. Например: «Как"
        " продолжить поток?»"
    ),
    other_script=(
        "Я демонстрационная модель Potok и читаю только по-русски и по-английски. Спросите"
        " что-нибудь на одном из этих языков, например: «Что такое Potok?»"
    ),
    long_anyway=("Чтобы вы всё же увидели длинный поток, вот подробности из документации Potok."),
    all_i_have="Это всё, что я могу рассказать о Potok.",
    whole_said="Это был весь ответ, добавить мне нечего.",
    cannot_continue="Продолжить я могу только собственный ответ, а предыдущий — не мой.",
    count_bounded="Дальше в одном ответе я не считаю.",
)

PHRASES: dict[Language, Phrases] = {"en": _EN, "ru": _RU}
