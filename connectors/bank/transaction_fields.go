package bank

import "crosslift/connectors/rest"

// read takes from a transaction what rows are made of. Names, account numbers and free text are not looked at, but for
// those that tell apart entries without an id, which are hashed with all the rest.
func (e *entry) read(v rest.Value) {
	if v.Kind() != '{' {
		e.fail("Transaction", errObject)
		return
	}
	for name, m := range v.Members() {
		switch string(name) {
		case "AccountId":
			e.account = e.text("AccountId", m)
		case "TransactionId":
			e.id = e.text("TransactionId", m)
		case "TransactionReference":
			e.reference = e.text("TransactionReference", m)
		case "CreditDebitIndicator":
			e.indicator = e.text("CreditDebitIndicator", m)
		case "Status":
			e.status = e.text("Status", m)
		case "BookingDateTime":
			e.booked = e.text("BookingDateTime", m)
		case "ValueDateTime":
			e.value = e.text("ValueDateTime", m)
		case "TransactionInformation":
			e.information = m.Text()
		case "Amount":
			e.amount = e.money("Amount", m)
		case "BankTransactionCode":
			e.code, e.subCode = m.Get("Code").Text(), m.Get("SubCode").Text()
			e.drift.members("BankTransactionCode.", m, "Code", "SubCode")
		case "MerchantDetails":
			e.merchant = m.Get("MerchantCategoryCode").Text()
			e.drift.members("MerchantDetails.", m, "MerchantName", "MerchantCategoryCode")
		case "CardInstrument":
			if masked := m.Get("Identification").Text(); masked != "" {
				e.card = masked
			}
			e.drift.members("CardInstrument.", m, "CardSchemeName", "AuthorisationType", "Name", "Identification")
		case "SupplementaryData":
			e.supplementary(m)
		case "StatementReference", "TransactionMutability", "AddressLine", "ChargeAmount", "CurrencyExchange",
			"ProprietaryBankTransactionCode", "Balance", "CreditorAgent", "CreditorAccount", "DebtorAgent", "DebtorAccount",
			// since v4.0
			"ExtendedProprietaryBankTransactionCodes", "UltimateCreditor", "UltimateDebtor", "CategoryPurposeCode",
			"PaymentPurposeCode":
		default:
			e.drift.unknown("", name)
		}
	}
}

// supplementary reads the one object of the standard that is left to the bank and its partner: what a card transaction
// is joined to a payment by.
func (e *entry) supplementary(v rest.Value) {
	for name, m := range v.Members() {
		switch string(name) {
		case "Rrn":
			e.rrn = e.text("SupplementaryData.Rrn", m)
		case "AuthorisationCode":
			e.auth = e.text("SupplementaryData.AuthorisationCode", m)
		case "ClientReference":
			e.client = e.text("SupplementaryData.ClientReference", m)
		case "CardMask":
			if masked := e.text("SupplementaryData.CardMask", m); e.card == "" {
				e.card = masked
			}
		default:
			e.drift.unknown("SupplementaryData.", name)
		}
	}
}
