package limit

import "time"

// The numbers of the product. Each comes from the page named in its comment; where no
// page gives a number, the comment says how it was chosen. All are windows that slide
// and end by themselves.

const quarter = 15 * time.Minute

// GuessesPerCode is how many wrong guesses one code bears (OWASP ASVS 5.0, 6.6, asks
// for a limit; the number is the product's own). It is no window: the code's own row counts them, and the code
// is dead after the fifth.
const GuessesPerCode = 5

// Guesses at the second factor, per user and method, over all codes, attempts, nodes
// and surfaces (NIST SP 800-63B-4, 3.2.2; OWASP ASVS 5.0, 6.3.1). Half of each is kept
// for places where this user completed a sign-in in the last 30 days, so that a
// stranger with the password cannot use up the owner's guesses. Both are charged
// together before the code is looked at, and given back if it was right. Recovery codes
// have their own, below: the owner keeps one way in.
var (
	GuessesHour = Budget{Name: "guess.hour", Cap: 10, Window: time.Hour, Kept: 5}
	GuessesDay  = Budget{Name: "guess.day", Cap: 20, Window: 24 * time.Hour, Kept: 10}
)

// Wrong passwords (ATO practice: lock after five wrong ones). Charged before the hash,
// given back if the password was right. They never touch the second factor's budgets.
var (
	// WrongPasswords is per login name and network, known name or not: five wrong ones,
	// then that pair waits.
	//
	// "5, then 15 minutes" is kept as a window that slides: of five wrong ones in a row
	// the first frees a quarter of an hour after it was made, and in no quarter of an
	// hour are there more than five. A lock of a fixed length from the fifth would hold
	// the same rate against a guesser, but needs a second rule for when the count
	// begins anew: a person who is wrong five times in a month must not be locked. The
	// wait is 15 minutes at most, is not prolonged by trying again, and binds one pair:
	// a stranger elsewhere cannot make the owner wait.
	WrongPasswords = Budget{Name: "password.pair", Cap: 5, Window: quarter}
	// WrongFromNetwork is per network over all names, charged only where the network is
	// not known for the user: one that tries one password on many names is refused
	// before anything is hashed.
	WrongFromNetwork = Budget{Name: "password.network", Cap: 20, Window: quarter}
)

// Recovery codes never rest: of 80 bits nobody guesses one, and they are what is left when
// all else rests. These only bound what is looked at (I3), and are short, so that a wait is
// minutes. A place that the user does not know gets a few tries of its own, so that one
// stranger who has the password leaves the others theirs; all of those together get half,
// and the other half is the owner's, in a browser or network of theirs. Charged before the
// code is looked at, given back if it was right.
var (
	// RecoveriesPlace is per user and network, where the user is not known.
	RecoveriesPlace = Budget{Name: "recovery.place", Cap: 5, Window: quarter}
	// RecoveriesUser is per user.
	RecoveriesUser = Budget{Name: "recovery.user", Cap: 20, Window: quarter, Kept: 10}
)

// Passkeys: how many ceremonies can be begun, each of which is a row for five minutes. They
// are wide, because a page may ask again at every visit.
var (
	// PasskeysNetwork is per network over all users, at the door and after a password. Half
	// is kept for users who are known there: at the door nobody is, and whoever gives their
	// password has what strangers of the same network left.
	PasskeysNetwork = Budget{Name: "passkey.network", Cap: 200, Window: quarter, Kept: 100}
	// PasskeysAsked is per sign-in under way, per session that is opened again, and per
	// user who adds one.
	PasskeysAsked = Budget{Name: "passkey.asked", Cap: 20, Window: quarter}
)

// Authorizations is per network, over all clients: each time that an application sends
// somebody to sign in is a row for half an hour. A whole office behind one address does not
// come near it.
var Authorizations = Budget{Name: "authorize.network", Cap: 1000, Window: quarter}

// Codes: what is sent after a right password. A code is sent only if all of these have
// room. The product gives the first two numbers and asks for the others; those were
// chosen from what honest people do, doubled or more, because a refused code is a
// person standing outside.
var (
	// CodeNext is per attempt and method: the next code after 30 seconds. Per method, so
	// that whoever waits for a slow mail can turn to SMS at once.
	CodeNext = Budget{Name: "code.next", Cap: 1, Window: 30 * time.Second}
	// CodesUser is per user, over all methods and attempts. Two are kept for places where
	// the user is known: whoever has the password alone cannot use up what the owner needs
	// to get in.
	CodesUser = Budget{Name: "code.user", Cap: 5, Window: quarter, Kept: 2}
	// CodesDestination is per address or number, over all users: two people who share a
	// mailbox or a phone may each use all of their five.
	CodesDestination = Budget{Name: "code.destination", Cap: 10, Window: quarter, Kept: 4}
	// CodesDestinationDay stops what stays just under the other: ten a quarter of an hour
	// would be 960 a day. Sixty are six people at one shared phone who sign in ten times
	// each. A third is kept for known places.
	CodesDestinationDay = Budget{Name: "code.destination.day", Cap: 60, Window: 24 * time.Hour, Kept: 20}
	// CodesSite is per site: a very large workshop of a hundred and fifty people who all
	// come at eight and each need a second code.
	CodesSite = Budget{Name: "code.site", Cap: 300, Window: quarter}
	// CodesNetwork is per network. Mobile carriers put many customers behind one address,
	// so it is wide; half is kept for users who are known there.
	CodesNetwork = Budget{Name: "code.network", Cap: 200, Window: quarter, Kept: 100}
	// NewNumbers is how many numbers a user may put on file: each gets codes before anybody
	// has proved it, which is what SMS pumping pays for. Five are somebody who mistypes and
	// then gets a new phone.
	NewNumbers = Budget{Name: "sms.new", Cap: 5, Window: 24 * time.Hour}
	// SMSHome is per country, for numbers of the site's own country; spread it. A Monday
	// morning of a country with 30,000 users, a quarter of them by SMS.
	SMSHome = Budget{Name: "sms.home", Cap: 8000, Window: time.Hour}
	// SMSAbroad is per country, for numbers of another country than the site's; spread
	// it. SMS pumping sends to far countries with dear numbers, where a workshop has
	// next to nobody.
	SMSAbroad = Budget{Name: "sms.abroad", Cap: 320, Window: time.Hour}
	// CodesSystem is for all codes of all sites; spread it. Seventy a second for a
	// quarter of an hour: above what 30,000 users need on a morning, below what
	// would cost a carrier's trust.
	CodesSystem = Budget{Name: "code.system", Cap: 64000, Window: quarter}
)

// Resets: what anybody can have sent without a password. They have budgets of their
// own, so that a stranger cannot use up the codes of someone who has given the right
// password. Half is kept for known places (of five: two), so that strangers leave
// something to the owner.
//
// All are charged by what was typed, whether or not it is anybody's login name: an
// answer must not tell the two apart. There is no budget per site, because only a name
// that exists has one, and per country, because resets go by mail.
var (
	// ResetNext is per typed name: the next one after 30 seconds, like a code.
	ResetNext = Budget{Name: "reset.next", Cap: 1, Window: 30 * time.Second}
	// ResetsUser is per typed name: the product's five.
	ResetsUser = Budget{Name: "reset.user", Cap: 5, Window: quarter, Kept: 2}
	// ResetsDestination is per typed name as well, because a reset goes to the login name
	// itself. It keeps a stranger from filling a mailbox: five a quarter of an hour
	// would be 480 mails a day.
	ResetsDestination = Budget{Name: "reset.destination", Cap: 10, Window: 24 * time.Hour, Kept: 5}
	// ResetsNetwork is per network over all names: the number of WrongFromNetwork, for
	// whoever tries names here instead of there.
	ResetsNetwork = Budget{Name: "reset.network", Cap: 20, Window: quarter, Kept: 10}
	// ResetsSystem is for the whole system; spread it. A fortieth of the codes: far fewer
	// people have forgotten a password than use one.
	ResetsSystem = Budget{Name: "reset.system", Cap: 1600, Window: quarter, Kept: 800}
)

// Security notices have budgets of their own and are never dropped: where one of these
// refuses, the notice waits until Retry and is merged with those that wait. There is
// none per network, site or system, because what a stranger does must not hold up the
// notice to somebody else.
var (
	// NoticesUser is per user who is told.
	NoticesUser = Budget{Name: "notice.user", Cap: 5, Window: quarter}
	// NoticesDestination is per address or number: one mailbox that several people read.
	NoticesDestination = Budget{Name: "notice.destination", Cap: 20, Window: time.Hour}
)

// Calls of the API, which are programs of the vendor's. Strangers need no budget: 256 bits
// are not guessed, and what has no key is refused after one look-up.
var (
	// APICalls is per key: ten a second for a minute, which is every site of a large vendor
	// reported anew in four minutes.
	APICalls = Budget{Name: "api.key", Cap: 600, Window: time.Minute}
	// APITokens is how many access tokens for one site a key may fetch. A token lives five
	// minutes at least, so an honest program needs a few an hour.
	APITokens = Budget{Name: "api.token", Cap: 60, Window: time.Hour}
)
