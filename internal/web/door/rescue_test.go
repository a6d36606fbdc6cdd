package door_test

import (
	"html/template"
	"strings"
	"testing"

	"keyturn/internal/web"
	"keyturn/internal/web/door"
	"keyturn/internal/web/webtest"
)

// shown is one page in one state, and what stands on it.
type shown struct {
	name string
	page web.Page
	sees []string
	has  []string
}

func showAll(t *testing.T, all []shown) {
	t.Helper()
	kit := webtest.New(t, door.Face())
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Show(t, kit, c.name, c.page)
			s.Sees(c.sees...)
			s.Has(c.has...)
		})
	}
}

func TestSomebodyForWhomNothingWorksIsToldWhoCanHelp(t *testing.T) {
	t.Parallel()
	showAll(t, []shown{
		{
			"stuck",
			door.StuckPage{As: "Dale Porter", Site: "Bayside Auto", Off: offAll(pat), Helpers: pat, Manager: robin},
			[]string{"None of your ways works now", "Ask Pat Chen to let me in", "I have a help code", "Your ways, and why not", "Robin Ellery", "07 5550 0142", "Workshop support"},
			[]string{`action="/signin/ask"`, `href="/signin/help"`},
		},
		{
			"stuck-nobody",
			door.StuckPage{As: "Pat Chen", Site: "Bayside Auto", Off: offAll(nil)},
			[]string{"nobody else at Bayside Auto can let you in just now", "I have a help code", "An Admin of your site can put it right"},
			nil,
		},
		{
			"stuck-too-many",
			door.StuckPage{As: "Dale Porter", Site: "Bayside Auto", Off: offAll(both), Helpers: both, Fault: door.FaultAskTooMany("8:02 am")},
			[]string{"You have asked three times in an hour.", "from 8:02 am", "Ask an Admin to let me in"},
			[]string{`<title>You have asked three times`},
		},
		{
			"ask",
			door.AskPage{As: "Dale Porter", Site: "Bayside Auto", Helpers: pat},
			[]string{"Ask to be let in", "Pat Chen gets a message", "Ask Pat Chen to let me in"},
			[]string{`action="/signin/ask"`, `href="/signin/help"`},
		},
		{
			"ask-many",
			door.AskPage{As: "Dale Porter", Site: "Bayside Auto", Helpers: both, Fault: door.FaultAskTooMany("")},
			[]string{"Pat Chen and Kim Lee get a message.", "Ask an Admin to let me in", "ask again later"},
			nil,
		},
		{
			"ask-nobody",
			door.AskPage{As: "Pat Chen", Site: "Bayside Auto", Manager: robin, Fault: door.FaultAskNobody()},
			[]string{"Nobody else at Bayside Auto can let you in", "Robin Ellery"},
			nil,
		},
		{
			"ask-waiting",
			door.AskPage{As: "Dale Porter", Site: "Bayside Auto", State: door.AskWaiting, Number: "47", Until: "7:25 am", Helpers: both, Manager: robin},
			[]string{"We asked Pat Chen and Kim Lee", "Give them this number 47", "approved until 7:25 am", "Check again"},
			[]string{`id="ask" aria-live="polite" data-live`, `<noscript>`},
		},
		{
			"ask-declined",
			door.AskPage{As: "Dale Porter", Site: "Bayside Auto", State: door.AskDeclined, Helpers: pat},
			[]string{"You were not let in", "Pat Chen said no", "Ask again"},
			nil,
		},
		{
			"ask-declined-many",
			door.AskPage{As: "Dale Porter", Site: "Bayside Auto", State: door.AskDeclined, Helpers: both},
			[]string{"Your Admin said no"},
			nil,
		},
		{
			"ask-over",
			door.AskPage{As: "Dale Porter", Site: "Bayside Auto", State: door.AskOver, Helpers: pat},
			[]string{"Nobody answered in time", "Ask again"},
			nil,
		},
		{
			"ask-approved",
			door.AskPage{As: "Dale Porter", Site: "Bayside Auto", State: door.AskApproved, Helpers: pat},
			[]string{"You are let in", "Go on"},
			[]string{`href="/signin/enrol"`},
		},
		{
			"helpcode",
			door.HelpCodePage{As: "Dale Porter", Site: "Bayside Auto", Helpers: pat},
			[]string{"Enter the help code", "An Admin of Bayside Auto can read one out to you: Pat Chen.", "in threes"},
			[]string{`action="/signin/help"`, `autocomplete="off"`, `aria-describedby="code-h"`},
		},
		{
			"helpcode-wrong",
			door.HelpCodePage{As: "Dale Porter", Fault: door.FaultHelpWrong()},
			[]string{"or our support, can read one out", "allows five tries in all"},
			[]string{`aria-describedby="code-h code-fault"`},
		},
		{"helpcode-form", door.HelpCodePage{As: "Dale Porter", Fault: door.FaultHelpForm()}, []string{"letter by letter"}, nil},
		{"helpcode-rests", door.HelpCodePage{As: "Dale Porter", Fault: door.FaultHelpRests("8:02 am")}, []string{"Try again from 8:02 am."}, nil},
	})
}

// qr stands in for method.QR: the same element, with a few modules.
const qr template.HTML = `<svg class="qr" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29" color="#000" shape-rendering="crispEdges" aria-hidden="true" focusable="false"><rect width="29" height="29" fill="#fff"/><path fill="currentColor" d="M4 4h7v7h-7zM18 4h7v7h-7zM4 18h7v7h-7zM14 14h3v3h-3z"/></svg>`

func TestAnEnrolOnlySessionAddsOneWay(t *testing.T) {
	t.Parallel()
	totp := web.SetUpTOTP{
		Action: "/signin/enrol/totp", QR: qr, Key: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",
		Link: "otpauth://totp/Keyturn:dale@bayside.example?secret=JBSWY3DPEHPK3PXP&issuer=Keyturn",
	}
	wrong := totp
	wrong.Fault, wrong.Name = door.FaultTOTPUsed(), "Dale’s phone"
	prove := web.SetUpProve{
		Action: "/signin/enrol/sms/code", Again: "/signin/enrol/sms/again", Change: "/signin/enrol/sms", Here: "/signin/enrol/sms/code",
		To: "••• 156", Until: "7:22 am", ResendAt: "7:12:34 am",
		Trail: []web.TrailStep{happened(door.BySMS, 4).Sent(), web.TrailSoon(web.BySMS)},
	}
	again, closed := prove, prove
	again.CanResend, again.ResendAt, again.Fault, again.Trail = true, "", door.FaultWrong(3), nil
	closed.CanResend, closed.ResendAt, closed.Closed, closed.Trail = true, "", door.ClosedRanOut("7:22 am"), nil
	showAll(t, []shown{
		{
			"enrol",
			door.EnrolPage{As: "Dale Porter", Site: "Bayside Auto", By: door.ByApproval, Who: "Pat Chen", Until: "7:25 am", SMS: true},
			[]string{"Add one way to sign in", "Pat Chen let you in to add one way. You have until 7:25 am.", "Authenticator app", "Passkey", "Mobile number"},
			[]string{`action="/signin/enrol"`, `name="method" value="totp"`},
		},
		{"enrol-code", door.EnrolPage{As: "Dale Porter", By: door.ByHelpCode, Until: "7:25 am", NoSMS: true}, []string{"Your help code lets you add one way.", "Codes by SMS cannot be sent for you right now."}, nil},
		{"enrol-staff", door.EnrolPage{As: "Dale Porter", By: door.BySupport, Until: "7:25 am", Fault: door.FaultAskNobody()}, []string{"Our support let you in"}, nil},
		{"enrol-joining", door.EnrolPage{As: "Noor Haddad", By: door.ByJoining, Until: "7:25 am"}, []string{"Set up how you sign in."}, nil},
		{"enrol-somebody", door.EnrolPage{As: "Dale Porter", Until: "7:25 am"}, []string{"You have until 7:25 am."}, nil},
		{
			"enrol-totp",
			door.EnrolTOTPPage{As: "Dale Porter", Site: "Bayside Auto", Until: "7:25 am", SetUp: totp},
			[]string{"Set up your authenticator app", "Open in the app", "JBSW Y3DP EHPK 3PXP", "Finish", "You have until 7:25 am.", "Choose another one"},
			[]string{`href="otpauth://totp/Keyturn:dale@bayside.example?secret=`, `<svg class="qr"`, `action="/signin/enrol/totp"`},
		},
		{"enrol-totp-wrong", door.EnrolTOTPPage{As: "Dale Porter", SetUp: wrong}, []string{"That code is not right, or"}, []string{`value="Dale’s phone"`, `<title>That code is not right, or was used`}},
		{
			"enrol-passkey",
			door.EnrolPasskeyPage{As: "Dale Porter", Site: "Bayside Auto", Until: "7:25 am", SetUp: web.SetUpPasskey{Action: "/signin/enrol/passkey", Begin: "/signin/enrol/passkey/begin"}},
			[]string{"Set up a passkey", "Create the passkey", "A passkey needs JavaScript"},
			[]string{`data-passkey="create" data-begin="/signin/enrol/passkey/begin" data-here="/signin/enrol/passkey" hidden>`, `name="name"`},
		},
		{"enrol-passkey-wrong", door.EnrolPasskeyPage{As: "Dale Porter", SetUp: web.SetUpPasskey{Fault: web.FaultPasskey()}}, []string{"That passkey was not accepted"}, nil},
		{
			"enrol-mobile",
			door.EnrolMobilePage{As: "Dale Porter", Site: "Bayside Auto", Until: "7:25 am", SetUp: web.SetUpMobile{Action: "/signin/enrol/sms"}},
			[]string{"Add your mobile", "Mobile number", "Send the code"},
			[]string{`type="tel"`, `autocomplete="tel"`},
		},
		{"enrol-mobile-wrong", door.EnrolMobilePage{As: "Dale Porter", SetUp: web.SetUpMobile{Number: "123", Fault: "That is not a mobile number."}}, []string{"not a mobile number"}, []string{`value="123"`}},
		{"enrol-mobile-country", door.EnrolMobilePage{As: "Dale Porter", SetUp: web.SetUpMobile{Fault: "We cannot send SMS there."}}, []string{"We cannot send SMS there."}, nil},
		{
			"enrol-prove",
			door.EnrolProvePage{As: "Dale Porter", Site: "Bayside Auto", Until: "7:25 am", SetUp: prove},
			[]string{"Type the code", "We sent it to ••• 156. It works until 7:22 am.", "On your phone soon", "Another code can be sent from 7:12:34 am.", "Use another number", "Check again"},
			[]string{`id="trail" aria-live="polite" data-live`, `autocomplete="one-time-code"`},
		},
		{"enrol-prove-wrong", door.EnrolProvePage{As: "Dale Porter", SetUp: again}, []string{"That code is not right. 3 tries are left.", "Send another code"}, []string{`action="/signin/enrol/sms/again"`}},
		{"enrol-prove-closed", door.EnrolProvePage{As: "Dale Porter", SetUp: closed}, []string{"It worked until 7:22 am.", "Send another code"}, nil},
		{"enrol-done-totp", door.EnrolDonePage{Site: "Bayside Auto", Added: door.ByTOTP}, []string{"Your authenticator app is set up", "Sign in now"}, []string{`href="/signin"`}},
		{"enrol-done-passkey", door.EnrolDonePage{Site: "Bayside Auto", Added: door.ByPasskey}, []string{"Your passkey is set up"}, nil},
		{"enrol-done-sms", door.EnrolDonePage{Site: "Bayside Auto", Added: door.BySMS}, []string{"Your mobile is proved"}, nil},
		{"enrol-done-staff", door.EnrolDonePage{Added: door.ByPasskey, Staff: true}, []string{"A colleague has to confirm you"}, nil},
		{"enrol-over", door.EnrolOverPage{}, []string{"The time is over", "Nothing was added."}, nil},
	})
}

func TestAForgottenPasswordIsSetByALink(t *testing.T) {
	t.Parallel()
	showAll(t, []shown{
		{"reset", door.ResetPage{}, []string{"Forgotten password", "Send me the link", "Workshop support"}, []string{`action="/reset"`, `name="email"`}},
		{"reset-empty", door.ResetPage{Fault: door.FaultResetEmpty()}, []string{"Type the email you sign in with."}, []string{`aria-describedby="reset-fault"`}},
		{"reset-form", door.ResetPage{Fault: door.FaultResetForm()}, []string{"That is not an email address."}, nil},
		{"reset-wait", door.ResetPage{Fault: door.FaultResetWait("8:02 am")}, []string{"Try again from 8:02 am."}, nil},
		{"reset-sent", door.ResetSentPage{}, []string{"Look in your mail", "If what you typed is a login name here"}, nil},
		{"reset-password", door.ResetPasswordPage{Token: "abc_-123"}, []string{"Choose a new password", "8 characters or more"}, []string{`action="/reset/abc_-123"`, `autocomplete="new-password"`}},
		{"reset-password-short", door.ResetPasswordPage{Token: "t", Fault: door.FaultTooShort()}, []string{"That is too short."}, []string{`aria-describedby="password-h password-fault"`}},
		{"reset-password-long", door.ResetPasswordPage{Token: "t", Fault: door.FaultTooLong()}, []string{"longer than we take"}, nil},
		{"reset-password-common", door.ResetPasswordPage{Token: "t", Fault: door.FaultTooCommon()}, []string{"tried first"}, nil},
		{"reset-password-empty", door.ResetPasswordPage{Token: "t", Fault: door.FaultNewEmpty()}, []string{"Type the new password."}, nil},
		{"reset-done", door.ResetDonePage{}, []string{"Your new password is saved", "a code by email is not enough"}, nil},
		{"reset-gone", door.ResetGonePage{}, []string{"This link does not work any more", "Send me another link"}, nil},
	})
}

func TestARecoveryCanBeStopped(t *testing.T) {
	t.Parallel()
	showAll(t, []shown{
		{"stop", door.StopPage{Token: "abc", Site: "Bayside Auto"}, []string{"Somebody asked us to let them into your login", "at Bayside Auto", "It was not me: stop this"}, []string{`action="/stop/abc"`}},
		{"stop-any", door.StopPage{Token: "abc"}, []string{"They said that they are you and cannot sign in."}, nil},
		{"stop-done", door.StopDonePage{What: door.StopDone}, []string{"It is stopped", "looked at papers", "Choose a new password", "Workshop support"}, nil},
		{"stop-decided", door.StopDonePage{What: door.StopDecided}, []string{"Our people have decided"}, nil},
		{"stop-over", door.StopDonePage{What: door.StopOver}, []string{"nothing left to stop"}, nil},
		{"stop-gone", door.StopDonePage{What: door.StopGone}, []string{"This link does not work"}, nil},
	})
}

// What an address, a name or a token holds is never markup, nor a path or a link of
// another kind.
func TestHostileValuesOfTheRescueStayValues(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())
	const evil = `"><script>alert(1)</script>../..&`
	for name, page := range map[string]web.Page{
		"ask":     door.AskPage{As: evil, Site: evil, State: door.AskWaiting, Number: evil, Until: evil, Helpers: []string{evil, evil}},
		"enrol":   door.EnrolPage{As: evil, Site: evil, By: door.ByApproval, Who: evil, Until: evil},
		"passkey": door.CodePage{As: evil, By: door.ByPasskey, Options: evil, Ceremony: evil, RememberUntil: evil},
		"stuck":   door.StuckPage{As: evil, Site: evil, Helpers: []string{evil}, Fault: evil, Off: []door.WayOff{{Method: door.By(evil), Name: evil, Why: evil, Who: evil}}},
		"totp":    door.EnrolTOTPPage{As: evil, Until: evil, SetUp: web.SetUpTOTP{Key: evil, Name: evil, Fault: evil}},
		"prove":   door.EnrolProvePage{As: evil, SetUp: web.SetUpProve{To: evil, Until: evil, Fault: evil}},
		"reset":   door.ResetPasswordPage{Token: evil, Fault: evil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Show(t, kit, "hostile-rescue-"+name, page)
			if strings.Contains(s.HTML, "<script>") || strings.Contains(s.HTML, `"/reset/"><`) {
				t.Error("a value became markup")
			}
			s.Has("&lt;script&gt;")
		})
	}
}
