package observe

import (
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// observers are the tables that show identifiers together, by path.
var observers = []observer{
	{table.Assignment, []string{"account"}, sighting},
	{table.BankAccrual, []string{"client_ref_hash", "rrn_hash", "status"}, bankAccrual},
	{table.BankTransaction, []string{"client_ref_hash", "rrn_hash", "direction", "status"}, bankTransaction},
	{table.CRMContact, []string{"contact", "account", "email_hash", "email_folded_hash", "phone_hash", "analytics_consent", "archived"}, crmContact},
	{table.Exposure, []string{"account"}, sighting},
	{table.Invoice, []string{"account"}, sighting},
	{table.Payment, []string{"account", "card_hash", "card_hash_kind", "rrn_hash", "status"}, payment},
	{table.ProductDevice, []string{"device", "type", "account"}, productDevice},
	{table.ProductLogin, []string{"account", "device"}, together},
	{table.ProductUser, []string{"account", "email_hash", "email_folded_hash", "email_verified", "phone_hash", "analytics_consent", "deleted"}, productUser},
	{table.Subscription, []string{"account"}, sighting},
	{table.Viewing, []string{"account", "device"}, together},
	{table.WebEvent, []string{"account", "device", "email_hash", "phone_hash", "platform", "analytics_consent"}, webEvent},
}

// seen is where accounts go of which a row shows nothing else: they are somebody, too.
func (r *rows) seen() *tally {
	return r.tally(table.TypeAccount, table.TypeAccount, table.RuleVerified)
}

// sighting: an account, and nothing that it belongs with.
func sighting(r *rows) {
	accounts, seen := r.ids("account"), r.seen()
	for row, at := range r.at {
		if account := accounts(row); !account.IsZero() {
			seen.add(account, identifier.ID{}, at)
		}
	}
}

// attribute says which value an entity has from a row on, or that it has none, which goes by the rule of none.
func attribute(value, none *tally, entity, is identifier.ID, at int64) {
	if is.IsZero() {
		none.add(entity, identifier.ID{}, at)
		return
	}
	value.add(entity, is, at)
}

// consent adds what rows say of an entity's consent to be analysed; those that say nothing change nothing. The end of an
// account or a contact is neither consent nor refusal.
func (r *rows) consent(entityType string, rule int64) func(row int, entity identifier.ID) {
	given, refused := r.is("analytics_consent", true), r.is("analytics_consent", false)
	t := r.tally(entityType, table.TypeConsent, rule)
	return func(row int, entity identifier.ID) {
		switch {
		case given(row):
			t.add(entity, entity, r.at[row])
		case refused(row):
			t.add(entity, identifier.ID{}, r.at[row])
		}
	}
}

// productUser: an account has the address and the phone of its last row, and none after its deletion. That there is no
// address is said by the rule of one that is not verified.
func productUser(r *rows) {
	accounts, emails, folded, phones := r.ids("account"), r.ids("email_hash"), r.ids("email_folded_hash"), r.ids("phone_hash")
	verified, deleted := r.is("email_verified", true), r.is("deleted", true)
	typed := r.tally(table.TypeAccount, table.TypeEmail, table.RuleTyped)
	typedFolded := r.tally(table.TypeAccount, table.TypeEmailFolded, table.RuleTyped)
	proven := r.tally(table.TypeAccount, table.TypeEmail, table.RuleVerified)
	provenFolded := r.tally(table.TypeAccount, table.TypeEmailFolded, table.RuleVerified)
	phone := r.tally(table.TypeAccount, table.TypePhone, table.RuleAccount)
	consent := r.consent(table.TypeAccount, table.RuleAccount)
	for row, at := range r.at {
		account := accounts(row)
		if account.IsZero() {
			continue
		}
		var is struct{ email, folded, phone identifier.ID }
		if !deleted(row) {
			is.email, is.folded, is.phone = emails(row), folded(row), phones(row)
		}
		email, emailFolded := typed, typedFolded
		if verified(row) {
			email, emailFolded = proven, provenFolded
		}
		attribute(email, typed, account, is.email, at)
		attribute(emailFolded, typedFolded, account, is.folded, at)
		attribute(phone, phone, account, is.phone, at)
		consent(row, account)
	}
}

// crmContact: a contact has the account, the address and the phone of its last row, and none after it was archived.
func crmContact(r *rows) {
	contacts, accounts, emails, folded, phones := r.ids("contact"), r.ids("account"), r.ids("email_hash"), r.ids("email_folded_hash"), r.ids("phone_hash")
	archived := r.is("archived", true)
	account := r.tally(table.TypeCRM, table.TypeAccount, table.RuleAccount)
	email := r.tally(table.TypeCRM, table.TypeEmail, table.RuleTyped)
	emailFolded := r.tally(table.TypeCRM, table.TypeEmailFolded, table.RuleTyped)
	phone := r.tally(table.TypeCRM, table.TypePhone, table.RuleTyped)
	consent := r.consent(table.TypeCRM, table.RuleTyped)
	for row, at := range r.at {
		contact := contacts(row)
		if contact.IsZero() {
			continue
		}
		var is struct{ account, email, folded, phone identifier.ID }
		if !archived(row) {
			is.account, is.email, is.folded, is.phone = accounts(row), emails(row), folded(row), phones(row)
		}
		attribute(account, account, contact, is.account, at)
		attribute(email, email, contact, is.email, at)
		attribute(emailFolded, emailFolded, contact, is.folded, at)
		attribute(phone, phone, contact, is.phone, at)
		consent(row, contact)
	}
}

// payment: an account and the card that it paid with, of payments that succeeded. A failed try proves little: cards of others
// are tried on accounts. A mask is shared by many cards, and links nobody.
func payment(r *rows) {
	accounts, cards, references := r.ids("account"), r.ids("card_hash"), r.ids("rrn_hash")
	one := each(r, "card_hash_kind", func(kind string) bool { return kind == "fingerprint" })
	succeeded := each(r, "status", func(status string) bool { return status == "succeeded" })
	card := r.tally(table.TypeAccount, table.TypeCard, table.RuleCard)
	reference := r.tally(table.TypeAccount, table.TypeReference, table.RuleAccount)
	seen := r.seen()
	for row, at := range r.at {
		account := accounts(row)
		linked := false
		if succeeded(row) {
			linked = one(row) && card.link(account, cards(row), at)
			linked = reference.link(account, references(row), at) || linked
		}
		if !linked && !account.IsZero() {
			seen.add(account, identifier.ID{}, at)
		}
	}
}

// bankTransaction: a client and the payment that it made, by the network's reference. What the bank shows of the card is a
// mask, and links nobody; money that comes back has a reference of its own.
func bankTransaction(r *rows) {
	debit := each(r, "direction", func(direction string) bool { return direction == "debit" })
	r.clients(func(row int) bool { return debit(row) })
}

// bankAccrual: the same, of the payment that cashback is given for or taken back.
func bankAccrual(r *rows) { r.clients(func(int) bool { return true }) }

func (r *rows) clients(are func(row int) bool) {
	clients, references := r.ids("client_ref_hash"), r.ids("rrn_hash")
	rejected := each(r, "status", func(status string) bool { return status == "rejected" })
	t := r.tally(table.TypeBankClient, table.TypeReference, table.RuleAccount)
	for row, at := range r.at {
		if are(row) && !rejected(row) {
			t.link(clients(row), references(row), at)
		}
	}
}
