package door_test

import (
	"strings"
	"testing"
	"time"

	"keyturn/internal/policy"
	"keyturn/internal/web"
	"keyturn/internal/web/door"
	"keyturn/internal/web/webtest"
)

var (
	pat   = []string{"Pat Chen"}
	both  = []string{"Pat Chen", "Kim Lee"}
	robin = web.Contact{Name: "Robin Ellery", Phone: "07 5550 0142", Hours: "Mon to Fri, 7 am to 6 pm"}
)

// smsPage is the page of a code by SMS, on its way.
func smsPage() door.CodePage {
	p := codePage()
	p.By, p.SentTo = door.BySMS, "••• 156"
	p.Trail = []door.Step{
		happened(door.BySMS, 4).Sent(),
		happened(door.BySMS, 5).Handed(),
		happened(door.BySMS, 6).Taken(),
		web.TrailSoon(door.BySMS),
	}
	return p
}

// quietPage is the page of a way that sends nothing.
func quietPage(by door.By) door.CodePage {
	p := codePage()
	p.By, p.SentTo, p.Until, p.Trail, p.ResendAt = by, "", "", nil, ""
	return p
}

func TestACodeBySMSIsFollowedToThePhone(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())

	t.Run("on its way", func(t *testing.T) {
		t.Parallel()
		p := smsPage()
		p.RememberUntil = "Thu 3 Dec, 4:00 am"
		p.Offers = []door.Offer{{Method: door.ByEmail, To: "s••@gmail.example"}, {Method: door.ByPasskey}, {Method: door.ByTOTP, To: "Sam’s phone"}}
		s := webtest.Show(t, kit, "sms", p)
		s.Sees("We sent it to ••• 156.", "Handed to the SMS service", "The SMS service took it", "On your phone soon",
			"Send by email instead s••@gmail.example", "Use your passkey", "Use your authenticator app Sam’s phone")
		s.Has(`name="method" value="sms"`, `autocomplete="one-time-code"`, `name="method" value="totp"`)
	})
	t.Run("delivered", func(t *testing.T) {
		t.Parallel()
		p := smsPage()
		p.Trail = append(p.Trail[:3], happened(door.BySMS, 9).Delivered())
		p.CanResend, p.ResendAt = true, ""
		s := webtest.Show(t, kit, "sms-delivered", p)
		s.Sees("It is on your phone", "Look under unknown senders.")
		s.Hides("Check again")
	})
	for _, c := range []struct {
		name, why string
		note      string
	}{
		{"number", web.SMSNumber(), "Ask Pat Chen to put your mobile right."},
		{"blocked", web.SMSBlocked(), "Use another way."},
		{"opted-out", web.SMSOptedOut(), "Answer START to our last SMS"},
		{"down", web.SMSDown(), "Use another way."},
		{"unreachable", web.SMSUnreachable(), "Turn the phone on"},
		{"other", web.SMSOther(), "Use another way."},
	} {
		t.Run("refused as "+c.name, func(t *testing.T) {
			t.Parallel()
			p := smsPage()
			p.Refused, p.CanResend, p.ResendAt = c.why, true, ""
			p.Offers = []door.Offer{{Method: door.ByEmail, To: "s••@gmail.example"}}
			p.OtherWay = door.OtherWay(p.Offers)
			p.Trail = []door.Step{happened(door.BySMS, 4).Sent(), happened(door.BySMS, 7).Refused(c.why, pat)}
			s := webtest.Show(t, kit, "sms-refused-"+c.name, p)
			s.Sees("The SMS did not get through", "To ••• 156: "+c.why+".", "Refused: "+c.why, c.note,
				"We can send the code by email to s••@gmail.example instead.")
		})
	}
	t.Run("undelivered after all", func(t *testing.T) {
		t.Parallel()
		p := smsPage()
		p.Trail = append(p.Trail[:3], happened(door.BySMS, 30).Undelivered(web.SMSUnreachable(), nil))
		p.Refused, p.CanResend, p.ResendAt = web.SMSUnreachable(), true, ""
		p.OtherWay = door.OtherWay(nil)
		s := webtest.Show(t, kit, "sms-undelivered", p)
		s.Sees("Not delivered: the phone was off or out of reach", "Nothing else works for you right now.", "Send another code")
		s.Hides("Check again")
	})
	t.Run("no balance", func(t *testing.T) {
		t.Parallel()
		p := smsPage()
		p.NoBalance, p.ResendAt = true, ""
		p.Offers = []door.Offer{{Method: door.ByTOTP, To: "Sam’s phone"}}
		p.OtherWay = door.OtherWay(p.Offers)
		p.Trail = []door.Step{happened(door.BySMS, 4).Sent(), happened(door.BySMS, 7).NoBalance("Bayside Auto", pat)}
		s := webtest.Show(t, kit, "sms-no-balance", p)
		s.Sees("The SMS was not sent", "Bayside Auto has no SMS left. It cost you nothing.", "Your authenticator app has a code right now.", "Pat Chen can have SMS added.")
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		p := smsPage()
		p.Trail = append(p.Trail[:2], happened(door.BySMS, 15).Unknown())
		webtest.Show(t, kit, "sms-unknown", p).Sees("No answer came. It may still arrive.")
	})
	t.Run("too late", func(t *testing.T) {
		t.Parallel()
		p := smsPage()
		p.Trail = append(p.Trail[:1], happened(door.BySMS, 59).Expired())
		p.RanOut, p.Closed, p.CanResend, p.ResendAt = true, door.ClosedRanOut("7:12 am"), true, ""
		webtest.Show(t, kit, "sms-expired", p).Sees("It took too long, so it was not sent")
	})
	t.Run("resting", func(t *testing.T) {
		t.Parallel()
		p := smsPage()
		p.Closed, p.Trail, p.ResendAt = door.ClosedRestsBy(door.BySMS, "8:02 am"), nil, ""
		webtest.Show(t, kit, "sms-rests", p).Sees("Codes by SMS rest until 8:02 am")
	})
}

func TestASlowChannelIsSaidAndTheOtherWaysComeFirst(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())
	p := codePage()
	p.Weather = door.Weather(door.ByEmail, 5*time.Minute+20*time.Second, false)
	p.Offers = []door.Offer{{Method: door.BySMS, To: "••• 156"}, {Method: door.ByRecovery}}
	s := webtest.Show(t, kit, "code-slow", p)
	s.Sees("Mail is slow now, about 6 minutes. Use another way.", "Send by SMS instead", "Use a recovery code", "6-digit code")
	s.Has(`<button class="btn main wide" name="method" value="sms">`, `<button class="btn wide">Sign in</button>`)

	for _, c := range []struct {
		by    door.By
		about time.Duration
		down  bool
		want  string
	}{
		{door.ByEmail, 0, false, "Mail is slow now. Use another way."},
		{door.ByEmail, 0, true, "Mail does not get through now. Use another way."},
		{door.BySMS, 3 * time.Minute, false, "SMS are slow now, about 3 minutes. Use another way."},
		{door.BySMS, 0, false, "SMS are slow now. Use another way."},
		{door.BySMS, 0, true, "SMS do not get through now. Use another way."},
	} {
		if got := door.Weather(c.by, c.about, c.down); got != c.want {
			t.Errorf("%s: got %q", c.by, got)
		}
	}
}

func TestTheWaysThatSendNothing(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())

	t.Run("an authenticator", func(t *testing.T) {
		t.Parallel()
		p := quietPage(door.ByTOTP)
		p.Name, p.RememberUntil = "Sam’s phone", "Thu 3 Dec, 4:00 am"
		p.Offers = []door.Offer{{Method: door.ByEmail, To: "s••@gmail.example"}}
		s := webtest.Show(t, kit, "totp", p)
		s.Sees("Enter the code from your app", "Open Sam’s phone.", "6-digit code", "Send by email instead", "Remember this device until")
		s.Hides("Another code", "Where your code is", "Reference")
		s.Has(`name="method" value="totp"`, `action="/signin/code"`)
	})
	t.Run("an authenticator without a name, and a wrong code", func(t *testing.T) {
		t.Parallel()
		p := quietPage(door.ByTOTP)
		p.Fault = door.FaultTOTPUsed()
		webtest.Show(t, kit, "totp-wrong", p).Sees("Open your authenticator app.", "That code is not right, or was used already. Wait for the next one.")
	})
	t.Run("an authenticator that rests", func(t *testing.T) {
		t.Parallel()
		p := quietPage(door.ByTOTP)
		p.Closed = door.ClosedRestsBy(door.ByTOTP, "8:02 am")
		s := webtest.Show(t, kit, "totp-rests", p)
		s.Sees("Your authenticator app rests until 8:02 am.")
		s.Hides("6-digit code")
	})
	t.Run("a recovery code", func(t *testing.T) {
		t.Parallel()
		s := webtest.Show(t, kit, "recovery", quietPage(door.ByRecovery))
		s.Sees("Enter a recovery code", "one of the ten codes that you printed", "Recovery code")
		s.Has(`autocomplete="off" autocapitalize="characters"`, `name="method" value="recovery"`)
		s.Hides("are left")
		p := quietPage(door.ByRecovery)
		p.Fault = door.FaultRecovery()
		webtest.Show(t, kit, "recovery-wrong", p).Has(`aria-describedby="code-h code-fault"`)
		p.Fault, p.FaultCostsNothing = door.FaultRecoveryForm(), true
		webtest.Show(t, kit, "recovery-form", p).Sees("A recovery code has 16 letters and digits.")
	})
	t.Run("a passkey", func(t *testing.T) {
		t.Parallel()
		p := quietPage(door.ByPasskey)
		p.RememberUntil = "Thu 3 Dec, 4:00 am"
		p.Offers = []door.Offer{{Method: door.ByEmail, To: "s••@gmail.example"}}
		s := webtest.Show(t, kit, "passkey", p)
		s.Sees("Use your passkey", "your face, finger or PIN", "A passkey needs JavaScript", "Send by email instead", "Use another way")
		s.Has(`action="/signin/passkey"`, `data-passkey="get"`, `data-begin="/signin/passkey/options" data-here="/signin/code"`, `name="credential" value=""`, ` hidden>`, `name="remember"`)
		s.Hides("6-digit code")
		p.Ceremony, p.Options = "token", `{"publicKey":{"challenge":"AA"}}`
		p.Fault = door.FaultPasskey()
		s = webtest.Show(t, kit, "passkey-wrong", p)
		s.Sees("That passkey was not accepted")
		s.Has(`name="ceremony" value="token"`, `data-options="{&#34;publicKey&#34;:{&#34;challenge&#34;:&#34;AA&#34;}}"`)
	})
	t.Run("a passkey in place of a password", func(t *testing.T) {
		t.Parallel()
		s := webtest.Show(t, kit, "signin-passkey-wrong", door.SignInPage{Next: "/me", PasskeyFault: door.FaultPasskey()})
		s.Has(`action="/signin/passkey/finish"`, `data-begin="/signin/passkey/begin"`, `data-auto hidden>`, `autocomplete="username webauthn"`,
			`<title>That passkey was not accepted`)
		s = webtest.Show(t, kit, "signin-no-passkey", door.SignInPage{NoPasskey: true})
		s.Hides("passkey")
		s.Has(`autocomplete="username"`)
		s = webtest.Show(t, kit, "locked-passkey", door.LockedPage{As: "Sam Okafor", Site: "Bayside Auto", Since: "9:40 am", Next: "/me", Passkey: true, PasskeyFault: door.FaultPasskey()})
		s.Sees("Unlock with your passkey")
		s.Has(`action="/signin/locked/passkey"`, `data-begin="/signin/locked/begin"`)
	})
}

// everyKey are the policy's reasons for a way not to be on offer, by the ways they are
// said of.
var everyKey = map[policy.WithheldKey]door.By{
	policy.NoEmail: door.ByEmail, policy.NoMobile: door.BySMS, policy.NotSetUp: door.ByTOTP, policy.NoCodesLeft: door.ByRecovery,
	policy.PendingProof: door.BySMS, policy.TooWeakForSite: door.ByEmail, policy.TooWeakForClient: door.BySMS,
	policy.NotForStaff: door.ByEmail, policy.ResetMark: door.ByEmail, policy.SpentMethod: door.ByTOTP, policy.AwaitsProof: door.ByEmail,
	policy.EmailBounced: door.ByEmail, policy.NumberRefused: door.BySMS, policy.NotProved: door.BySMS,
	policy.UnprovedSpent: door.BySMS, policy.NoSMSAvailable: door.BySMS, policy.Resting: door.ByTOTP,
}

func TestEveryReasonOfThePolicyIsSaidInItsOwnWords(t *testing.T) {
	t.Parallel()
	seen := map[string]policy.WithheldKey{}
	for key, by := range everyKey {
		off := door.Off(by, key, door.OffFacts{Site: "Bayside Auto", Until: "8:02 am", Fix: policy.FixAdmin, Helpers: pat})
		if off.Why == "" || off.Name == "" || off.Method != by {
			t.Errorf("%s: %+v", key, off)
		}
		if strings.Contains(off.Why, "does not work right now") {
			t.Errorf("%s has no words of its own", key)
		}
		if other, twice := seen[off.Why]; twice {
			t.Errorf("%s and %s say the same: %s", key, other, off.Why)
		}
		seen[off.Why] = key
		nobody := door.Off(by, key, door.OffFacts{Fix: policy.FixAdmin})
		if strings.Contains(nobody.Why+nobody.Who, "  ") || strings.HasPrefix(nobody.Who, " ") {
			t.Errorf("%s without names: %+v", key, nobody)
		}
		if got := door.Off(by, key, door.OffFacts{Fix: policy.FixAccountManager}).Who; got != "Your account manager can help." {
			t.Errorf("%s: the account manager mends it, and the page says %q", key, got)
		}
	}
}

// offAll are the ways of somebody for whom nothing works.
func offAll(helpers []string) []door.WayOff {
	f := door.OffFacts{Site: "Bayside Auto", Until: "8:02 am", Fix: policy.FixAdmin, Helpers: helpers}
	return []door.WayOff{
		door.Off(door.ByEmail, policy.EmailBounced, f),
		door.Off(door.BySMS, policy.NoMobile, f),
		door.Off(door.BySMS, policy.NoSMSAvailable, f),
		door.Off(door.ByTOTP, policy.SpentMethod, f),
		door.Off(door.ByPasskey, policy.NotSetUp, door.OffFacts{Fix: policy.FixSelf}),
		door.Off(door.ByRecovery, policy.NoCodesLeft, door.OffFacts{Fix: policy.FixSelf}),
	}
}

func TestThePageOfTheWays(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())
	s := webtest.Show(t, kit, "way-all", door.WayPage{
		As: "Dale Porter", Site: "Bayside Auto", Notice: door.Weather(door.ByEmail, 6*time.Minute, false), Helpers: pat, Manager: robin, CanAsk: true,
		On: []door.Way{
			door.WayBy(door.ByEmail, "d••@baysideauto.example"), door.WayBy(door.BySMS, "••• 156"), door.WayBy(door.ByTOTP, "Dale’s phone"),
			door.WayBy(door.ByPasskey, ""), door.WayBy(door.ByRecovery, ""),
		},
		Off: []door.WayOff{door.OffWaits(door.BySMS, "7:02:34 am")},
	})
	s.Sees("You can use now", "A new code to ••• 156", "From Dale’s phone", "On this phone or laptop", "One of your ten printed codes",
		"None of these works?", "Ask Pat Chen to let me in", "I have a help code")
	s.Has(`href="/signin/ask"`, `href="/signin/help"`, `value="recovery"`)
	s = webtest.Show(t, kit, "way-off", door.WayPage{As: "Dale Porter", Site: "Bayside Auto", Helpers: both, Manager: robin, CanAsk: true, Off: offAll(both), On: []door.Way{door.WayBy(door.ByTOTP, "")}})
	s.Sees("From your app", "Ask an Admin to let me in", "No mail gets through to your address.", "Pat Chen or Kim Lee can put it right in User Setup.",
		"Bayside Auto has no SMS left.", "Pat Chen or Kim Lee can have SMS added.", "You can do that in My security")
}
