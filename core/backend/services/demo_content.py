"""What the demo college teaches, and the invented people who learn there."""

from __future__ import annotations

from dataclasses import dataclass

from core.backend.storage.records import LessonText


@dataclass(frozen=True, slots=True)
class DemoCourse:
    title: str
    summary: str
    price_cents: int
    lessons: tuple[LessonText, ...]


@dataclass(frozen=True, slots=True)
class DemoStudent:
    """`enrolled` and `paid` are places in `COURSES`; paid: says so, an officer has to look."""

    name: str
    enrolled: tuple[int, ...] = ()
    paid: tuple[int, ...] = ()


COURSES = (
    DemoCourse(
        "Bookkeeping to Trial Balance",
        "Source documents, journals, ledgers, and a trial balance that agrees. Twelve weeks.",
        485_000,
        (
            LessonText(
                "From slip to journal",
                "Every entry in the books begins with a document: an invoice, a receipt, a bank "
                "statement. In this lesson you sort a month of documents of a small hardware shop "
                "in Polokwane and enter them into the right journal. Keep the documents in the "
                "order of their dates; a missing number in a series is the first thing an auditor "
                "asks about.",
            ),
            LessonText(
                "Debit and credit without tears",
                "A debit is only the left side, a credit only the right. Assets and expenses grow "
                "on the left; income, debts and the owner's share grow on the right. Work through "
                "the ten transactions below and say for each which two accounts move, and on "
                "which side, before you write anything down.",
            ),
            LessonText(
                "A trial balance that agrees",
                "Add up both columns. When they differ, halve the difference and look for that "
                "amount on the wrong side; when the difference divides by nine, look for two "
                "digits that changed places. Only then start ticking every line.",
            ),
        ),
    ),
    DemoCourse(
        "Payroll and SARS Returns",
        "Wages, PAYE, UIF and SDL, the monthly EMP201 and the yearly reconciliation.",
        625_000,
        (
            LessonText(
                "What a payslip must show",
                "An employee must be able to follow the sum: hours or salary, each deduction by "
                "name, and what is paid out. You will build a payslip for a weekly paid cleaner "
                "and for a monthly paid supervisor, and compare what each law asks for.",
            ),
            LessonText(
                "The month's EMP201",
                "PAYE, UIF and SDL are declared together and paid by the seventh of the next "
                "month. Collect the three totals from the payroll, fill in the return, and note "
                "the payment reference: without it the payment finds no account.",
            ),
        ),
    ),
    DemoCourse(
        "Project Management Foundations",
        "Plan, budget, run and close a small project, with templates that you keep.",
        1_250_000,
        (
            LessonText(
                "A page that starts a project",
                "Write down in one page why the project exists, what it will deliver, what it "
                "will not, who decides, and when it is over. If the page cannot be written, the "
                "project is not ready to begin.",
            ),
            LessonText(
                "A budget with air in it",
                "Estimate each piece of work three times: if all goes well, as usual, and if it "
                "goes badly. The middle is your plan, the last is your reserve, and the "
                "difference is what you talk about with the sponsor.",
            ),
        ),
    ),
    DemoCourse(
        "Advanced Diploma in Financial Management",
        "A year of evening classes: reporting, tax, costing and strategy, with a final project.",
        4_650_000,
        (
            LessonText(
                "Reading a set of statements",
                "Begin with the cash flow: profit is an opinion, cash is a fact. Then ask what "
                "the balance sheet owns that cannot be sold, and what it owes that cannot wait. "
                "We read the statements of a listed retailer together, line by line.",
            ),
            LessonText(
                "What one more unit costs",
                "Fixed costs do not move when one more unit is made; variable costs do. Price by "
                "the wrong one and growth eats you. Calculate the break-even point of a bakery in "
                "Gqeberha before and after it rents a second oven.",
            ),
        ),
    ),
)

STUDENTS = (
    DemoStudent("Lerato Khumalo", paid=(0,)),
    DemoStudent("Sipho Ndlovu", paid=(1,)),
    DemoStudent("Aisha Patel", paid=(3,)),
    DemoStudent("Johan Botha", enrolled=(2,), paid=(0,)),
    DemoStudent("Nomvula Zulu", paid=(2,)),
    DemoStudent("Kagiso Molefe", enrolled=(0,)),
    DemoStudent("Fatima Davids", paid=(1,)),
    DemoStudent("Themba Mabaso", paid=(0,)),
    DemoStudent("Anele Mthembu", enrolled=(3,)),
    DemoStudent("Riaan Steyn", paid=(2,)),
    DemoStudent("Zanele Nkosi", enrolled=(1,)),
    DemoStudent("Bongani Sithole"),
)
