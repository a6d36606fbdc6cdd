package door

import (
	"time"

	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// What can be wrong with a sign-in, each one sentence for SignInPage.

// FaultLogin is the answer to a wrong password and to an unknown name alike.
func FaultLogin() string { return locale.Say(locale.SigninWrong) }

// FaultEmpty is the answer to an empty field.
func FaultEmpty() string { return locale.Say(locale.SigninEmpty) }

// FaultPassword is the answer to a wrong password where the name is known already.
func FaultPassword() string { return locale.Say(locale.LockedWrong) }

// NoticeOver tells somebody whose session has ended to sign in again.
func NoticeOver() string { return locale.Say(locale.SigninOver) }

// NoticeEnded tells somebody whose attempt ran out to start again.
func NoticeEnded() string { return locale.Say(locale.SigninExpired) }

// What can be wrong with a code, each one sentence for CodePage.Fault.

// FaultWrong is the answer to a wrong code, of which left more tries may be typed.
func FaultWrong(left int) string { return locale.Say(locale.CodeWrong, locale.Data{"Count": left}) }

// FaultSpent is the answer when a code has had its last try.
func FaultSpent() string { return locale.Say(locale.CodeSpent) }

// FaultExpired is the answer to a code of this attempt that has run out; at is when it
// was sent. It costs no guess.
func FaultExpired(at string) string { return locale.Say(locale.CodeExpired, locale.Data{"At": at}) }

// FaultReplaced is the answer to a code of this attempt that a newer one replaced; at
// is when it was sent. It costs no guess.
func FaultReplaced(at string) string { return locale.Say(locale.CodeReplaced, locale.Data{"At": at}) }

// FaultRanOut is the answer when there is no code left to compare with.
func FaultRanOut() string { return locale.Say(locale.CodeRanOut) }

// ClosedRanOut is CodePage.Closed for a code that lived to its end.
func ClosedRanOut(until string) string {
	return locale.Say(locale.CodeRanOutWords, locale.Data{"Until": until})
}

// ClosedNone is CodePage.Closed where no code was sent yet.
func ClosedNone() string { return locale.Say(locale.CodeNone) }

// FaultForm is the answer to what cannot be a code.
func FaultForm() string { return locale.Say(locale.CodeForm) }

// ClosedRests is CodePage.Closed for a method that rests after too many wrong codes.
func ClosedRests(until string) string {
	return locale.Say(locale.CodeRests, locale.Data{"Until": until})
}

// ClosedSends is CodePage.Closed when no code lives and none can be sent before at.
func ClosedSends(at string) string {
	return locale.Say(locale.CodeTooManySent, locale.Data{"At": at})
}

// What can be wrong with the other ways, each one sentence for CodePage.Fault.

// FaultTOTPUsed is the answer to a code of an authenticator that is wrong, or that let
// somebody in already: nothing tells the two apart to whoever guesses.
func FaultTOTPUsed() string { return locale.Say(locale.CodeTotpUsed) }

// FaultRecovery is the answer to a recovery code that is wrong, or used.
func FaultRecovery() string { return locale.Say(locale.CodeRecoveryWrong) }

// FaultRecoveryForm is the answer to what cannot be a recovery code.
func FaultRecoveryForm() string { return locale.Say(locale.CodeRecoveryForm) }

// FaultPasskey is the answer to a passkey that was not accepted.
func FaultPasskey() string { return web.FaultPasskey() }

// ClosedRestsBy is ClosedRests for a way.
func ClosedRestsBy(by By, until string) string {
	switch by {
	case BySMS:
		return locale.Say(locale.CodeRestsSms, locale.Data{"Until": until})
	case ByTOTP:
		return locale.Say(locale.CodeRestsTotp, locale.Data{"Until": until})
	case ByEmail, ByPasskey, ByRecovery:
	}
	return ClosedRests(until)
}

// Weather is CodePage.Weather for a channel that is slow: about how long a message takes,
// zero where that is not known; down where nothing arrives at all.
func Weather(by By, about time.Duration, down bool) string {
	span := func() locale.Data { return locale.Data{"Span": locale.Span(about)} }
	switch {
	case by == BySMS && down:
		return locale.Say(locale.CodeDownSms)
	case by == BySMS && about <= 0:
		return locale.Say(locale.CodeSlowSmsSome)
	case by == BySMS:
		return locale.Say(locale.CodeSlowSms, span())
	case down:
		return locale.Say(locale.CodeDownMail)
	case about <= 0:
		return locale.Say(locale.CodeSlowMailSome)
	}
	return locale.Say(locale.CodeSlowMail, span())
}

// OtherWay is CodePage.OtherWay: one plain sentence that offers the first of the other
// ways, or says that there is none.
func OtherWay(offers []Offer) string {
	if len(offers) == 0 {
		return locale.Say(locale.CodeOtherNone)
	}
	to := locale.Data{"To": offers[0].To}
	switch offers[0].Method {
	case BySMS:
		return locale.Say(locale.CodeOtherSms, to)
	case ByTOTP:
		return locale.Say(locale.CodeOtherTotp)
	case ByPasskey:
		return locale.Say(locale.CodeOtherPasskey)
	case ByRecovery:
		return locale.Say(locale.CodeOtherRecovery)
	case ByEmail:
	}
	return locale.Say(locale.CodeOtherEmail, to)
}
