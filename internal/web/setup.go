package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strconv"

	"keyturn/internal/locale"
)

// The bodies of the pages that set up a way to sign in, for the part templates
// "set-up.totp", "set-up.passkey", "set-up.mobile" and "set-up.prove": each is whole,
// with its form, and stands in a card. The enrol-only session and "My security" share
// them, so that both say the same.

// SetUpTOTP sets up an authenticator app, for the template "set-up.totp". The form has
// the fields "code" and "name".
type SetUpTOTP struct {
	// Action is where the form goes: "/signin/enrol/totp".
	Action string
	// QR is the picture to scan, an SVG of the class "qr" (method.QR).
	QR template.HTML
	// Key is the secret as text, in groups of four.
	Key string
	// Link is the otpauth:// address that opens the app on the same phone.
	Link template.URL
	// Name fills the field "name". May be empty.
	Name string
	// Fault says what was wrong with the code. May be empty.
	Fault string
}

// SetUpPasskey makes a passkey, for the template "set-up.passkey". It needs the script,
// and says so where there is none. The form has the fields "name", "ceremony" and
// "credential", the browser's answer as JSON.
type SetUpPasskey struct {
	// Action is where the form goes once the browser has answered, and the path of the page
	// itself.
	Action string
	// Begin answers a POST of the form's own fields with a PasskeyAsk as JSON.
	Begin string
	// Name fills the field "name". May be empty.
	Name string
	// Fault says what was wrong. May be empty.
	Fault string
}

// SetUpMobile asks for a mobile number, for the template "set-up.mobile". The form has
// the field "number".
type SetUpMobile struct {
	// Action is where the form goes.
	Action string
	// Number fills the field. May be empty.
	Number string
	// Fault says what was wrong. May be empty.
	Fault string
}

// SetUpProve asks for the code that was sent to a new number or address, for the template
// "set-up.prove". The form has the field "code".
type SetUpProve struct {
	// Action is where the code goes; Again where "Send another code" goes, a form without
	// fields; Change is the page to go back to for another number.
	Action, Again, Change string
	// Here is the path of the page itself, for "Check again".
	Here string
	// To is where the code went, Until when it ends: "7:12 am".
	To, Until string
	// Trail is what happened to the code, newest last.
	Trail []TrailStep
	// CanResend says that another code may be asked for now. If not, ResendAt is when.
	CanResend bool
	ResendAt  string
	// Fault says what was wrong with what was typed, Closed why nothing can be typed now;
	// the field is not shown then. Both may be empty.
	Fault, Closed string
}

// Moves says whether the page changes by itself while somebody looks at it.
func (s SetUpProve) Moves() bool { return TrailMoves(s.Trail) || !s.CanResend && s.ResendAt != "" }

// Running is the trail as its template wants it.
func (s SetUpProve) Running() Trail { return Trail{Steps: s.Trail, Moves: s.Moves(), Here: s.Here} }

// PasskeyAsk is the answer to the script that begins a passkey: the token of the
// ceremony, and the options for the browser as method.Passkeys gives them.
type PasskeyAsk struct {
	Ceremony string          `json:"ceremony"`
	Options  json.RawMessage `json:"options"`
}

// PasskeyForm is one button that asks the browser for a passkey, for the template
// "passkey.form". It is hidden where there is no script, or where the browser knows no
// passkeys.
type PasskeyForm struct {
	// Action is where the answer goes, as a form with the fields "ceremony" and
	// "credential"; Begin answers a POST with a PasskeyAsk.
	Action, Begin string
	// Here is the path of the page itself, to load it anew when it is out of date.
	Here string
	// Ceremony and Options are those of a passkey that is asked for already. Empty: the
	// script asks Begin.
	Ceremony, Options string
	// Words are the button's; Main says that it is the main one of the page.
	Words string
	Main  bool
	// Alone says that the page is about the passkey: it then says why there is no button.
	// Otherwise an "or" stands above it.
	Alone bool
	// Remember is until when the device may be remembered, for a tick box; Next the local
	// path to go on to. Both may be empty.
	Remember, Next string
	// Auto lets the browser offer a passkey in the field of the login name.
	Auto bool
	// Fault says what was wrong with the passkey. May be empty.
	Fault string
}

// AskPasskey answers the script of a page that begins a passkey.
func (k *Kit) AskPasskey(w http.ResponseWriter, ask PasskeyAsk) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return fmt.Errorf("write a passkey's options: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // The browser has gone away; there is nobody left to tell.
	return nil
}

// FaultPasskey is the answer to a passkey that was not accepted.
func FaultPasskey() string { return locale.Say(locale.PasskeyWrong) }
