"""The face of `env.AI`: which model answers, and what becomes of an answer nobody understands."""

import subprocess
import sys

import pytest

from millrace.bindings.ai import AI
from millrace.domain.questions import ModelAnswer, Question
from millrace.errors import ConfigurationInvalid, ModelAnswerInvalid, ModelNotConfigured, ModelTimeout

QUESTION = Question("How many?")


def enough():
    return 900.0


def unheard(answer):
    """Who only wants the reply."""


class Parrot:
    """A provider that says what it was told to say, and remembers what it was asked."""

    def __init__(self, *texts):
        self.texts = list(texts)
        self.asked = []

    def run(self, model, question):
        self.asked.append((model, question))
        return ModelAnswer(
            self.texts.pop(0), model_version=f"{model}@1", input_tokens=10, output_tokens=2, cost_microusd=7
        )


def ai_of(provider, *, models=("test/parrot",), default=None):
    return AI(models, default=default, providers={"test/": lambda: provider})


def test_the_model_is_found_by_its_id():
    parrot = Parrot("three", "four")
    ai = ai_of(parrot, models=("test/parrot", "test/other"))

    answers = [ai.run(model, QUESTION).text for model in ("test/parrot", "test/other")]

    assert answers == ["three", "four"]
    assert [model for model, _ in parrot.asked] == ["test/parrot", "test/other"]


def test_auto_is_the_default_model():
    ai = ai_of(Parrot("three"), models=("test/parrot", "test/other"), default="test/other")

    assert ai.run("auto", QUESTION).model_version == "test/other@1"


def test_a_model_that_is_not_configured_is_refused_with_those_that_are():
    with pytest.raises(ModelNotConfigured, match="test/parrot"):
        ai_of(Parrot()).run("test/gone", QUESTION)


@pytest.mark.parametrize(
    ("models", "default", "variable"),
    [
        (("nobody/knows",), None, "AI_MODELS"),
        (("local/rulesome",), None, "AI_MODELS"),
        ((), None, "AI_DEFAULT_MODEL"),
        (("local/rules",), "local/other", "AI_DEFAULT_MODEL"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused_by_the_variable_s_name(models, default, variable):
    with pytest.raises(ConfigurationInvalid, match=variable):
        AI(models, default=default)


def test_an_understood_answer_is_asked_for_once():
    parrot = Parrot("3")

    reply = ai_of(parrot).ask("auto", QUESTION, read=int, seconds_left=enough, on_answer=unheard)

    assert reply.value == 3
    assert len(reply.answers) == len(parrot.asked) == 1


def test_a_misunderstood_answer_is_put_to_the_model_once_with_what_is_wrong():
    parrot = Parrot("some", "3")

    reply = ai_of(parrot).ask("auto", QUESTION, read=int, seconds_left=enough, on_answer=unheard)

    assert reply.value == 3
    assert [answer.cost_microusd for answer in reply.answers] == [7, 7]
    again = parrot.asked[1][1]
    assert again.answered == "some"
    assert again.complaint is not None
    assert "invalid literal" in again.complaint
    assert again.instructions == QUESTION.instructions


def test_a_second_answer_that_cannot_be_read_is_final_keeps_its_charge_and_asks_for_a_person():
    with pytest.raises(ModelAnswerInvalid, match="person") as failed:
        ai_of(Parrot("some", "many")).ask("auto", QUESTION, read=int, seconds_left=enough, on_answer=unheard)

    assert not failed.value.transient
    assert failed.value.keeps_charge


@pytest.mark.parametrize(("left", "asked"), [([29.9], 0), ([30.0, 29.9], 1)])
def test_a_model_is_not_asked_when_less_time_is_left_than_it_may_take(left, asked):
    parrot, seconds = Parrot("some", "3"), iter(left)

    with pytest.raises(ModelTimeout):
        ai_of(parrot).ask("auto", QUESTION, read=int, seconds_left=lambda: next(seconds), on_answer=unheard)

    assert len(parrot.asked) == asked


def test_what_a_provider_raises_comes_out_as_it_is():
    class Slow:
        def run(self, model, question):
            raise ModelTimeout("The model took longer than 30 s.")

    with pytest.raises(ModelTimeout):
        ai_of(Slow()).ask("auto", QUESTION, read=int, seconds_left=enough, on_answer=unheard)


def test_every_answer_is_told_as_it_comes_and_how_long_it_took():
    told, time = [], iter([100.0, 101.5, 200.0, 200.0004])
    parrot = Parrot("some", "many")
    ai = AI(["test/parrot"], providers={"test/": lambda: parrot}, seconds=lambda: next(time))

    with pytest.raises(ModelAnswerInvalid):
        ai.ask("auto", QUESTION, read=int, seconds_left=enough, on_answer=told.append)

    assert [(answer.text, answer.duration_ms) for answer in told] == [("some", 1500), ("many", 0)]


def test_an_answer_is_told_also_when_the_next_call_fails():
    class Tiring(Parrot):
        def run(self, model, question):
            if not self.texts:
                raise ModelTimeout("The model took longer than 30 s.")
            return super().run(model, question)

    told = []

    with pytest.raises(ModelTimeout):
        ai_of(Tiring("some")).ask("auto", QUESTION, read=int, seconds_left=enough, on_answer=told.append)

    assert [answer.text for answer in told] == ["some"]


def test_a_refusal_that_was_paid_for_is_told_like_an_answer():
    class Prim:
        def run(self, model, question):
            refusal = ModelAnswer("I would rather not.", model_version=model, output_tokens=6)
            raise ModelAnswerInvalid("The model refuses.", answers=[refusal])

    told, time = [], iter([1.0, 3.0])
    ai = AI(["test/prim"], providers={"test/": Prim}, seconds=lambda: next(time))

    with pytest.raises(ModelAnswerInvalid, match="refuses"):
        ai.ask("auto", QUESTION, read=int, seconds_left=enough, on_answer=told.append)

    assert [(answer.output_tokens, answer.duration_ms) for answer in told] == [(6, 2000)]


def test_knowing_the_models_does_not_import_their_providers():
    code = """
import sys
from millrace.bindings.ai import AI
AI(["local/rules", "@cf/meta/llama", "bedrock/amazon.nova", "openai/gpt"]).resolve("auto")
modules = ("rules", "pdf", "calls", "openai", "cloudflare", "bedrock")
ours = {f"millrace.bindings.ai.{name}" for name in modules}
assert not (ours | {"pydantic", "boto3", "pypdf", "http.client", "ssl"}) & set(sys.modules)
"""

    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
