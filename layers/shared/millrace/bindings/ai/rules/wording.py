"""The words by which pay slips, employment letters and bank statements are known, in lower case."""

import re
from functools import cache
from typing import Literal

Kind = Literal["pay_slip", "employment_letter", "bank_statement", "other"]


def phrases(listed: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in listed.split(","))


# What each kind says of itself. The kind with the most of these, and at least two, is what a document is.
SIGNS: dict[Kind, tuple[str, ...]] = {
    "pay_slip": phrases("""pay stub, paystub, payslip, pay slip, earnings statement,
        pay statement, wage statement, gross pay, gross earnings, gross wages, net pay, take-home pay,
        pay period, pay date, ytd, year to date, deductions"""),
    "employment_letter": phrases("""to whom it may concern, employment verification,
        verification of employment, confirm that, confirms that, confirm the employment, is employed,
        has been employed, has worked, works for, position of, job title, human resources, sincerely,
        yours faithfully, kind regards, annual salary, base salary, hire date, date of hire, our employee"""),
    "bank_statement": phrases("""account statement, bank statement, statement period, opening balance,
        closing balance, beginning balance, ending balance, starting balance, balance forward, deposits,
        withdrawals, account number, available balance, checking, savings, money in, money out"""),
}

# What stands at the beginning of a line, the surest first.
GROSS = phrases("total gross, gross pay, gross earnings, gross wages, gross this period, gross")
NET = phrases("net pay, net amount, net this period, net wages, take-home pay, take home pay, net")
DEDUCTED = phrases("total deductions, deductions total, total taxes and deductions, deductions this period")
TAXED = phrases("total taxes, taxes total, total tax")
GROSS_SO_FAR = phrases("ytd gross, gross ytd, year to date gross, year-to-date gross, gross year to date")
OPENING = phrases("opening balance, beginning balance, starting balance, previous balance, balance forward")
CLOSING = phrases(
    "closing balance, ending balance, new balance, final balance, balance at end, available balance"
)
PAID_IN = phrases("""total deposits, deposits and other credits, deposits and credits, total credits,
    money in, deposits""")
PAID_OUT = phrases("""total withdrawals, withdrawals and other debits, withdrawals and debits, total debits,
    money out, withdrawals""")
CHARGED = phrases("total fees, service fees, fees charged, fees")
EMPLOYER = phrases("employer name, employer, company name, company, paid by, organisation, organization")
HIRED = phrases(
    "hire date, date of hire, start date, employment start date, employed since, hired on, joined"
)
DATED = phrases("letter date, date of issue, issued on, issued, statement date, pay date")
PLAINLY_DATED = phrases("date")
PERIOD = phrases("pay period, statement period, period, for the period, billing period, from")
PERIOD_BEGINS = phrases("period beginning, period start, period begin, period from")
PERIOD_ENDS = phrases("period ending, period end, period to")

# What a sentence says. Words that may part two of them are bounded, so that no text is slow to search.
BEGAN = re.compile(
    r"\b(?:since|started|joined|hired|began|commenced|employed|start date|hire date|date of hire)\b", re.I
)
OFFERED = re.compile(
    r"\b(?:offer|will (?:be|start|begin|join|commence)|starting on|start date|anticipated|expected)\b", re.I
)
ENDED = re.compile(
    r"\b(?:employment (?:ended|ceased|was terminated)|no longer (?:employed|works|with)"
    r"|last day of (?:work|employment)"
    r"|left (?:our|the) (?:company|employment)|was employed (?:here |by us )?from"
    r"|was employed (?:\S{1,20} ){0,12}until(?! (?:now|today))(?!.{0,80}\b(?:since|now|permanent)))\b",
    re.I,
)
OF_OTHERS = re.compile(
    r"\b(?:predecessor|colleague|co-?worker|(?:previous|prior|earlier) (?:employer|employment|position|role))"
    r"|\b(?:his|her|their|our|my|the|an?|another) (?!employee|applicant)[a-z]{1,20} (?:has |had )?left\b",
    re.I,
)
EMPLOYED_BY = re.compile(
    r"\b(?:employed (?:by|at|with)|works? (?:for|at)|employee of|position (?:at|with)) ", re.I
)
OF_PAY = re.compile(r"pay|paid|period|frequency", re.I)
NOT_WAGES = re.compile(r"\b(?:bonus|allowance|reimburse|deposit|rent|commission)", re.I)
PAID_EACH = re.compile(r"(?:\b(?:per|an?|each|every) |/ ?)(?P<unit>year|annum|month|week|hour)\b", re.I)
PAID_BY_THE = re.compile(r"\b(?P<unit>annual|year|month|week|hour)(?:ly)?\b", re.I)
HOURS_A_WEEK = re.compile(r"\b(?P<hours>\d{1,2}(?:\.\d)?) hours (?:per|a|each|every) week\b", re.I)
FULL_TIME = re.compile(r"\bfull[ -]time\b", re.I)
LASTED = re.compile(
    r"\b(?:for|of|service:|tenure:|employment:|past|over|last) "
    r"(?:the |past |last |over |almost |more than |about ){0,3}"
    r"(?P<count>\d{1,2}|[a-z]{3,9}) (?P<unit>year|month)s?"
    r"(?:,? (?:and )?(?P<months>\d{1,2}|[a-z]{3,9}) months?)?\b",
    re.I,
)
PAGE = re.compile(r"\bpage (?P<page>\d{1,3}) ?(?:of|/) ?(?P<pages>\d{1,3})\b", re.I)
PAYROLL = re.compile(r"\b(?:payroll|direct dep(?:osit)?|dir dep|salary|wages)\b", re.I)
BOUNCED = re.compile(
    r"\b(?:overdraft|nsf|insufficient funds|non-?sufficient|returned (?:item|check|payment)|unpaid)\b", re.I
)
COMPANY = re.compile(
    r"\b(?:inc|llc|l\.l\.c|ltd|limited|corp|corporation|company|co|plc|gmbh|group|hospital|clinic|university"
    r"|college|school|schools|services|systems|partners|associates|foundation|bakery|restaurants?|logistics)\b",
    re.I,
)
# What only a form that was never filled in, or a generator of such papers, would say.
FORGED = re.compile(
    r"(?:pay ?stub|pay ?slip|bank statement|letter) (?:generator|maker)\b|for novelty (?:use|purposes)"
    r"|not a genuine|not a real (?:document|pay)|lorem ipsum|template preview"
    r"|\[(?:company|employer|employee) name\]|insert (?:company|employer|name) here",
    re.I,
)

# Words with capitals that end the name of an employer on a line they share with it.
NOT_NAMES = frozenset(
    phrases("""employee, pay, payslip, paystub, wage, earnings, ein, period, address, date, department, id,
        phone, tel""")
)
FREQUENCIES = {
    "semi-monthly": "semi-monthly",
    "semimonthly": "semi-monthly",
    "twice a month": "semi-monthly",
    "bi-weekly": "fortnight",
    "biweekly": "fortnight",
    "every two weeks": "fortnight",
    "every 2 weeks": "fortnight",
    "fortnightly": "fortnight",
    "weekly": "week",
    "monthly": "month",
}
NUMBERS = phrases("""zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve,
    thirteen, fourteen, fifteen, sixteen, seventeen, eighteen, nineteen, twenty""")


@cache
def anywhere(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(phrase)}(?![\w-])[ :.=]{{0,3}}", re.I)


@cache
def at_the_start(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"\W{{0,4}}{re.escape(phrase)}(?![\w-])[ :.=]{{0,3}}", re.I)


def number(word: str) -> int | None:
    """Seven, or 7. None for another word."""
    if word.isdecimal():
        return int(word)
    return NUMBERS.index(word.lower()) if word.lower() in NUMBERS else None
