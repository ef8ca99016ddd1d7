"""Words in the names and values of columns, and what they hint at. Evidence decides; these only break ties."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


DOCUMENTS = _set(
    """
    transaction trans tx order policy birth buchung buchungs auftrag auftrags rechnung rechnungs beleg vorgang
    vorgangs invoice booking payment claim event
    """
)
"""Words that are written together with what follows: ``orderno``."""

WHOSE = _set(
    """
    customer cust client kunde kunden kundennr user account acct acc konto kontonr iban card cc pan karte kartennr
    merchant haendler handler vendor seller shop store terminal device payee payer orig dest origin destination
    sender receiver beneficiary counterparty member holder cardholder provider agent employee recipient party
    policyholder person household buyer wallet nameorig namedest debtor creditor subscriber imei msisdn
    """
)
"""Words that name somebody or something that acts more than once."""

MERCHANTS = _set(
    """
    merchant haendler handler vendor seller shop store terminal dest destination receiver beneficiary payee provider
    recipient device creditor agent
    """
)
"""Words of the side that fraud is done at or with: how often it was fraud there before is worth knowing."""

RESERVED = _set(
    """
    transaction_id event_time amount amount_minor partition_key label slice score decision hour weekday night
    weekend reported_at known_at index
    """
)
"""Names that mean something already: stored columns and calendar features."""

LABELS = _set(
    """
    fraud isfraud fraudulent class label target outcome chargeback laundering illicit scam suspicious anomaly betrug
    fraude y positive abuse fraudfound
    """
)
"""Words of columns that say what became of a transaction."""

FRAUD = _set("fraud isfraud fraudulent laundering illicit scam betrug fraude fraudfound")
"""Words that speak of fraud outright."""

NO_LABEL = _set(
    """
    flagged score prob probability pred predicted prediction rule alert alerts risk scenario type count rate
    previous prev history past reason category kind 24h suspect num number amount device bank ratio
    """
)
"""Words of columns that speak of fraud and are not the answer: flags and scores of other systems, counts, kinds."""

HISTORY = _set("count rate previous prev history past ratio number num")
"""Words of counts and of the past."""

MEANS_FRAUD = _set(
    """
    fraud fraudulent yes y true t 1 1.0 positive bad illicit chargeback scam suspicious anomaly betrug ja laundering
    confirmed fraudster
    """
)
"""Values that mean fraud."""

MEANS_GENUINE = _set(
    """
    legit legitimate genuine normal no n false f 0 0.0 negative good licit ok nein none valid non-fraud nonfraud
    not_fraud -1 notfraud clean
    """
)
"""Values that mean genuine."""

INVERTED = _set("legit legitimate genuine licit nonfraud")
"""Words of columns whose truth means genuine."""

HAPPENED = _set(
    """
    time date datetime timestamp trans transaction tx trx event created purchase payment order booking buchung datum
    zeit dt ts occurred incident posted value
    """
)
"""Words of the time at which a transaction happens."""

OTHER_TIMES = _set(
    """
    birth dob born expiry expires expiration exp signup registered registration opened open bind since previous prev
    last next update updated modified settled settlement chargeback reported resolved closed load loaded insert hire
    member joined issued issue due review confirmed refund refunded dispute disputed blocked
    """
)
"""Words of other times: of birth, of expiry, of what came before or after."""

STEPS = _set("step time seconds second secs sec ts dt timestamp transactiondt elapsed offset tick period")
"""Words of offsets from a start."""

OF_AMOUNTS = _set(
    """
    amount amt betrag value price sum total paid payment purchase transaction trans tx order claim usd eur gbp local
    umsatz summe montant importe valor charge billing in the of original txn
    """
)
"""Words that a column of amounts may have in its name; any other makes it something else."""

AMOUNTS = _set("amount amt betrag value price sum total paid umsatz summe montant importe valor charge")
"""Words one of which it has."""

IDS = _set("id no nr num number key ref reference uuid guid code")
"""Words of what names something."""

OF_TRANSACTION = _set(
    """
    transaction trans tx txn payment order claim policy event record booking invoice buchung buchungs auftrag
    auftrags rechnung rechnungs beleg vorgang vorgangs
    """
)
"""Words of a transaction."""

NAMES_OF_PEOPLE = _set(
    """
    name first last firstname lastname fullname surname vorname nachname forename middle username cardholder
    """
)
"""Words of names."""

PLACES = _set("street address addr strasse anschrift location")
"""Words of addresses."""

BIRTH = _set("dob birth birthday birthdate born geburtsdatum")
"""Words of a date of birth."""

NUMBERS_OF_PEOPLE = _set("phone mobile telephone tel telefon fax ssn passport tax nin email mail ip")
"""Words of what reaches or identifies a person."""

CODES = _set(
    """
    code mcc bank zip zipcode plz postcode postal type category cat kind country state region channel bin branch
    currency os browser status segment group gender sex brand product method mode issuer network class city
    """
)
"""Words of kinds: whole numbers under such a name are no quantities."""

OUTCOMES = _set(
    """
    chargeback scenario dispute disputed resolution resolved investigation investigated confirmed recovered recovery
    refund refunded blocked disposition writeoff outcome
    """
)
"""Words of what is known only afterwards."""

SECRETS = _set("cvv cvc cvv2 cv2 csc")
"""Words of verification codes, which may not be stored."""

OWNERS = _set("user customer cust client account person member household")
"""Words of those who own cards and accounts."""

OWNED = _set("card account acct device wallet id no nr num number index")
"""Words of what is numbered within its owner."""
