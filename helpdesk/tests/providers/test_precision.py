"""How good the embedded assistant is at the confidence from which a company lets it speak, unless it says otherwise."""

from __future__ import annotations

from typing import Final

from helpdesk.models import HelpdeskSettings
from helpdesk.providers.base import Passage, Question, SourceKind
from helpdesk.providers.embedded import EmbeddedAssistant

KNOWN: Final = {
    "invoice": ("Segunda via do boleto", "Peça a segunda via em loja.example.com/boletos."),
    "hours": ("Horário de funcionamento aberto fechado", "Atendemos de segunda a sexta, das 8h às 18h."),
    "delivery": ("Prazo de entrega frete chega", "A entrega leva até 5 dias úteis na capital e 10 no interior."),
    "returns": ("Trocas e devoluções arrependimento", "Você tem 7 dias para se arrepender e 30 para trocar."),
    "payment": ("Formas de pagamento cartão pix parcelar", "Aceitamos cartão em até 10 vezes, PIX e boleto."),
    "warranty": ("Garantia defeito quebrado", "A garantia é de 12 meses contra defeitos de fabricação."),
    "tracking": ("Rastrear pedido código rastreio", "O código de rastreio vai por e-mail assim que o pedido sai."),
    "address": ("Endereço das lojas", "Rua Augusta, 100, São Paulo."),
}
# Question -> what it is about; empty = nothing that the company wrote about.
ASKED: Final = {
    "quero a 2a via do boleto": "invoice",
    "perdi o boleto, me manda a segunda via?": "invoice",
    "qual o horário de vocês": "hours",
    "qual o prazo de entrega pra Santos": "delivery",
    "posso parcelar no cartão?": "payment",
    "aceita pix": "payment",
    "como faço para rastrear meu pedido": "tracking",
    "qual é a política de trocas?": "returns",
    "qual o endereço da loja": "address",
    "tem garantia?": "warranty",
    "boleto vencido, preciso de outro": "invoice",
    "produto veio quebrado": "warranty",
    "onde fica a loja": "address",
    "vocês abrem sábado?": "hours",
    "quero cancelar minha compra": "",
    "fui cobrado duas vezes no cartão": "",
    "o boleto que paguei não foi reconhecido": "",
    "meu entregador foi grosseiro": "",
    "quero falar com o gerente sobre um processo judicial": "",
    "não consigo entrar no site com minha senha": "",
    "vocês contratam? quero enviar currículo": "",
    "bom dia, tudo bem?": "",
}


def test_what_it_says_by_itself_is_right_and_it_says_something_to_every_second_question() -> None:
    passages = [Passage(SourceKind.CANNED, key, title, text) for key, (title, text) in KNOWN.items()]
    threshold = HelpdeskSettings().ia_threshold
    said = {}
    for text in ASKED:
        suggestion = EmbeddedAssistant().suggest(Question(text, passages))
        if suggestion is not None and suggestion.confidence >= threshold:
            said[text] = suggestion.sources[0].id
    assert {text: about for text, about in said.items() if ASKED[text] != about} == {}
    assert len(said) >= sum(1 for about in ASKED.values() if about) // 2
