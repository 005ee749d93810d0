package world

import "time"

// The parameters of the population. Where no source is named, they are assumptions.

// householdSizes are the shares of households with one to five people (Eurostat, EU-28, 2017).
var householdSizes = [...]float64{33.6, 31.9, 15.6, 13.1, 5.8}

const (
	oldest = 400 * day // before the first night: the oldest account

	// People and accounts.
	secondAdult   = 0.85 // that the second person of a household is grown up
	laterAdult    = 0.30
	firstAccount  = 0.97 // of a household's first adult
	secondAccount = 0.35 // of another adult
	doubleAccount = 0.04 // of account holders: a second one for the promotion (sweep 0–0.15)
	oldAccount    = 0.25 // registered before the first night: no part of the experiment
	lateAccount   = 0.05 // registered after most had
	regular       = 0.50 // of new ones, where devices are assigned: have been there for days, on all they have, when they meet the offer
	lentAccount   = 0.15 // of old ones: used in a second household (Leichtman Research Group, 2022)

	// Devices.
	hasPhone       = 0.90 // Parks Associates, 2023
	hasTablet      = 0.25
	hasBrowser     = 0.70
	householdTV    = 0.66 // Parks Associates, 2023
	sharedBrowser  = 0.42 // of households of two or more: ARF DASH
	switchTV       = 0.10 // that a TV's account is another's than the one that watches
	switchBrowser  = 0.50
	loggedOutWeb   = 0.03 // after a visit with a browser
	loggedOutApp   = 0.01
	loggedInWeb    = 0.20 // of a holder's visits without a purpose that needs it: Gannett, Unwind
	loggedInShared = 0.50 // of those with a shared browser: what one sees there is somebody else's otherwise
	loggedInApp    = 0.60 // FreeWheel, 2016
	loggedInTV     = 0.95
	cookieHeavy    = 0.07 // of browsers: 12.5 cookies a month (comScore, 2007)
	cookieChurn    = 0.24 // further ones that lose them at least once a month: 2.5 cookies; 4.7 together with the heavy ones
	deviceTouched  = 0.05 // of devices: their row changes without anything happening to them
	consentRefused = 0.08 // of browsers and apps, of nobody in particular

	// Who is who. The shares of logins in public, of broken ids and of double accounts are those of the study that the
	// stitching's rules were measured on; the others were set so that about 0.31 of the events are anonymous, as there.
	watchedOpenly   = 0.02   // of a holder's watching: without an account, such as free episodes
	watchedOpenlyTV = 0.10   // the same with a TV
	staysLoggedIn   = 0.93   // of anonymous visits with an app or a TV: whoever is logged in on it stays so
	putOff          = 0.65   // of a holder's anonymous visits with a shared device on which somebody else was logged in last: not made
	signsInLate     = 0.80   // of logins with a browser: in the course of the visit, which begins without an account
	asksAgain       = 0.35   // of a holder's anonymous visits with a browser that remembers nobody: it is asked to log in, and does
	publicLogin     = 0.015  // of a holder's visits: with a kiosk, a demo TV or a shop's tablet; that is 1 % of logins
	loggedOutPublic = 0.70   // after such a visit
	brokenDevice    = 0.0005 // of visits with an app: by a build that sends one id for all, or none
	sharedMailbox   = 0.004  // of accounts: an office's info@ address
	callCentreCard  = 0.005  // of subscriptions: paid by the call centre's card, the same for all
	givenUpNumber   = 0.10   // of old accounts' phone numbers: given up, and somebody else's before the nights end
	keptByProduct   = 0.15   // of those: the product's row keeps it for ever
	movedToNone     = 0.45   // of the others: the row has none afterwards, instead of the new one
	crmCorrected    = 0.30   // of CRM contacts with a number that was given up

	// Contact data.
	emailGiven     = 0.92
	emailVerified  = 0.80 // of those given
	phoneGiven     = 0.55
	emailTypo      = 0.02 // of contacts typed into the CRM: a vendor's blog, 1–3 %
	typoIsAlive    = 0.10 // of those: the address of somebody else
	crmContact     = 0.70 // of accounts
	crmKnowsWho    = 0.60 // of contacts
	crmLead        = 0.04 // of adults without an account
	crmArchived    = 0.04 // of contacts
	consentGranted = 0.72
	consentDenied  = 0.16 // the others were never asked
	consentFlips   = 0.06
	accountDeleted = 0.01

	// Late arrivals.
	lateEvents  = 0.02  // of web events: restate their day, for 72 hours
	lateCommit  = 0.004 // of the product's rows: committed up to an hour after they were stamped
	lateRefunds = 0.06  // of refunds: shown a day or two after they were made

	// Payments.
	trialOfPayer   = 0.30
	trialOfOther   = 0.10
	triedBefore    = 0.30 // of regulars: had a free day before they met the offer
	failsFirst     = 0.06 // of charges: succeed at a second attempt
	failsForGood   = 0.03 // of those who never pay: tried to
	refunded       = 0.04 // of succeeded charges
	refundedFully  = 0.60 // of refunds
	refundFails    = 0.03
	disputed       = 0.006 // of succeeded charges
	disputeWon     = 0.35
	oldSubscribed  = 0.70 // of old accounts
	oldChurn       = 0.05 // a cycle
	laterChurn     = 0.20 // a cycle, of a new account after its second month
	sharedCard     = 0.20 // of further accounts of a household: pay with the first one's card
	partnerHolder  = 0.15 // have the partner bank's card anyway
	partnerForDeal = 0.75 // of those who pay under the offer: with the partner's card
	cardFeeShare   = 0.029

	// The campaign: what the bank makes of an accrual that is due.
	accrualMissing   = 0.04
	accrualLate      = 0.05
	accrualWrong     = 0.03
	accrualDuplicate = 0.02
	accrualSplit     = 0.02
	reversalMissing  = 0.10 // of reversals that are due
	reversedWrongly  = 0.01 // of accruals
	ineligibleBonus  = 0.05 // of payments by the partner's card that are not eligible: accrued all the same
	foreignBonus     = 0.01 // of the bank's clients: an accrual for a payment that is not ours

	// Personal data where none should be.
	plantedPage   = 0.002 // of web events
	plantedUserID = 0.001 // of web events that are logged in: an address or "undefined" instead of the user id
	plantedText   = 0.30  // of the bank's free texts
)

// exportHour is when, after the start of the next business day, web analytics has exported a day; it is exported again at
// the same hour of the following days while late events come in.
const exportHour = 4 * time.Hour

// titles is how many films and series there are.
const titles = 400
