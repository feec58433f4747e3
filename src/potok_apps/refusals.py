"""What is wrong with a request, in the caller's language: Russian, unless it asks for English."""

from potok.apps.contract import PotokError, RequestInvalid

__all__ = ["Refusal", "sentence_of"]

_WORDS = {
    "app_unavailable": "Это приложение сейчас недоступно на сервере.",
    "body_too_slow": "Тело запроса пришло слишком медленно. Отправьте его ещё раз.",
    "content_type_refused": "Отправьте тело запроса как application/json.",
    "host_refused": "Под этим именем сервер не отвечает.",
    "idempotency_conflict": "С этим ключом уже начат другой запрос: для нового нужен новый ключ.",
    "invalid_request": "Запрос составлен неверно: проверьте его тело, заголовки и параметры.",
    "log_lost": "Хранилище потеряло часть этого ответа. Спросите ещё раз.",
    "log_unavailable": "Хранилище временно недоступно. Повторите тот же запрос чуть позже.",
    "message_malformed": "Тело запроса не читается как JSON.",
    "method_not_allowed": "Здесь можно спросить только методами GET и POST.",
    "model_not_found": "Такой модели нет.",
    "offset_expired": "Начало этого ответа больше не хранится; целиком он есть в снимке.",
    "offset_invalid": "Такого места в этом ответе нет.",
    "origin_refused": "Страницам других сайтов сервер не отвечает.",
    "path_unknown": "По этому адресу ничего нет.",
    "run_not_found": "Такого ответа нет.",
    "server_draining": "Сервер перезапускается. Повторите запрос через несколько секунд.",
    "too_large": "Слишком большой запрос: отправьте меньше.",
    "unauthorized": "Нужен ключ доступа.",
    "upstream_busy": "Сейчас слишком много ответов в работе. Повторите запрос чуть позже.",
}
_OTHERWISE = "Извините, не получилось выполнить запрос."


class Refusal(RequestInvalid):
    """A field is wrong; said in both languages."""

    def __init__(self, *, ru: str, en: str, param: str) -> None:
        super().__init__(en, param=param)
        self.ru = ru


def sentence_of(error: PotokError) -> str:
    """Return an error's sentence for people; Potok's own words where the caller reads English."""
    if error.language == "en":
        return error.message
    if isinstance(error, Refusal):
        return error.ru
    return _WORDS.get(error.code, _OTHERWISE)
