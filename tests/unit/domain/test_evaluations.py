"""Which failures are worth another try."""

from millrace.domain.evaluations import WORTH_A_RETRY, transient_kinds
from millrace.errors import JobFailure


def test_what_may_pass_by_itself_is_worth_a_retry():
    assert {"ModelTimeout", "LeaseExpired"} <= WORTH_A_RETRY
    assert not {"InsufficientDocuments", "ModelAnswerInvalid"} & WORTH_A_RETRY


def test_kinds_of_kinds_are_found_too():
    class ProviderFault(JobFailure):
        pass

    class ProviderBusy(ProviderFault):
        transient = True

    assert list(transient_kinds(ProviderFault)) == ["ProviderBusy"]
