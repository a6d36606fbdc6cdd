package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// ResetPage asks whose password is forgotten: the form POST /reset with the field
// "email".
type ResetPage struct {
	// Fault says what was wrong: FaultResetEmpty, FaultResetForm, FaultResetWait. What
	// was typed is not shown again. Empty at first sight.
	Fault string
}

// Head implements web.Page.
func (p ResetPage) Head() web.Head {
	return web.Head{Template: "door/reset", Title: locale.Say(locale.ResetTitle), Problem: p.Fault}
}

// ResetSentPage answers everybody alike: it says nothing about whether the name is known,
// and does not show it.
type ResetSentPage struct{}

// Head implements web.Page.
func (p ResetSentPage) Head() web.Head {
	return web.Head{Template: "door/resetsent", Title: locale.Say(locale.ResetSentTitle)}
}

// ResetPasswordPage asks for a new password: the form POST /reset/{token} with the field
// "password".
type ResetPasswordPage struct {
	// Token is that of the link.
	Token string
	// Fault says why the password cannot be used. Empty at first sight.
	Fault string
}

// Head implements web.Page.
func (p ResetPasswordPage) Head() web.Head {
	return web.Head{Template: "door/resetpassword", Title: locale.Say(locale.ResetNewTitle), Problem: p.Fault}
}

// ResetDonePage says that the new password is saved, and what counts beside it for now.
type ResetDonePage struct{}

// Head implements web.Page.
func (p ResetDonePage) Head() web.Head {
	return web.Head{Template: "door/resetdone", Title: locale.Say(locale.ResetDoneTitle)}
}

// ResetGonePage is for a link that sets no password any more.
type ResetGonePage struct{}

// Head implements web.Page.
func (p ResetGonePage) Head() web.Head {
	return web.Head{Template: "door/resetgone", Title: locale.Say(locale.ResetGoneTitle)}
}

// What can be wrong with a reset, each one sentence.

// FaultResetEmpty is the answer to an empty field.
func FaultResetEmpty() string { return locale.Say(locale.ResetEmpty) }

// FaultResetForm is the answer to what is no email address.
func FaultResetForm() string { return locale.Say(locale.ResetForm) }

// FaultResetWait is the answer to too many asks, from whatever names.
func FaultResetWait(at string) string { return locale.Say(locale.ResetWait, locale.Data{"At": at}) }

// FaultNewEmpty is the answer to an empty new password.
func FaultNewEmpty() string { return locale.Say(locale.ResetNewEmpty) }

// FaultTooShort is the answer to fewer than 8 characters.
func FaultTooShort() string { return locale.Say(locale.ResetTooShort) }

// FaultTooLong is the answer to more than anybody types.
func FaultTooLong() string { return locale.Say(locale.ResetTooLong) }

// FaultTooCommon is the answer to a password that is tried first, or made of the
// person's name.
func FaultTooCommon() string { return locale.Say(locale.ResetTooCommon) }
