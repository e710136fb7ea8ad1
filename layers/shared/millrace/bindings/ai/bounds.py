"""The most tokens that a question may come to, counted before it is asked: money is set aside for so many."""

from millrace.bindings.ai.intake import Given, Intake, take
from millrace.bindings.ai.prompts import Prompt, compose
from millrace.bindings.ai.texts import PDF, type_of
from millrace.domain.model_access import BEDROCK, CLOUDFLARE, MOST_WRITTEN, ModelAccess
from millrace.domain.questions import Question

# No model makes more than a token of a byte of text. Of an image OpenAI's smallest makes the most, 48,169; of
# a page of a PDF Claude makes 3,000 of its text and, of its picture, less than 5,000.
IMAGE_TOKENS = 50_000
PAGE_TOKENS = 10_000
# What providers write around messages; and what was wrong with an answer, when it is asked again.
AROUND_TOKENS = 1_000
COMPLAINT_TOKENS = 8_000
# Of a PDF that could not be read in time now, and perhaps can when it is sent: its first 60,000 characters.
UNREAD_TOKENS = 120_000


def most_read(model: str, question: Question, *, access: ModelAccess) -> int:
    """How many tokens the model may read, the first time. InsufficientDocuments when it can read none."""
    given, _ = take(question.documents, intake=intake_of(model, access=access))
    read = {one.name for one in given}
    unread = [one for one in question.documents if type_of(one) == PDF and one.name not in read]
    return tokens_in(compose(question, given=given)) + len(unread) * UNREAD_TOKENS


def most_reread(model: str) -> int:
    """How many more it may read when it is asked again: its own answer, and what was wrong with it."""
    answered = max(most for prefix, most in MOST_WRITTEN.items() if model.startswith(prefix))
    return answered + COMPLAINT_TOKENS


def tokens_in(prompt: Prompt) -> int:
    text = len(prompt.system.encode()) + len(prompt.text.encode())
    return AROUND_TOKENS + text + sum(map(tokens_of, prompt.files))


def tokens_of(file: Given) -> int:
    return file.pages * PAGE_TOKENS if file.pages else IMAGE_TOKENS


def intake_of(model: str, *, access: ModelAccess) -> Intake:
    """What the provider's own module says, which is imported when it is first needed."""
    if model.startswith(CLOUDFLARE):
        from millrace.bindings.ai import cloudflare

        return cloudflare.intake_of(model)
    if model.startswith(BEDROCK):
        from millrace.bindings.ai import bedrock

        return bedrock.intake_of(model)
    from millrace.bindings.ai import openai

    return openai.intake_of(access.openai_most_images)
