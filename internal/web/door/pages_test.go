package door_test

import (
	"strings"
	"testing"
	"time"

	"keyturn/internal/policy"
	"keyturn/internal/web"
	"keyturn/internal/web/door"
	"keyturn/internal/web/reason"
	"keyturn/internal/web/webtest"
)

var brisbane = time.FixedZone("AEST", 10*60*60)

func at(second int) time.Time {
	return time.Date(2026, 12, 2, 7, 2, second, 0, brisbane)
}

// happened is something that happened to a code, at a second of 7:02 am.
func happened(by web.By, second int) web.Happening {
	return web.Happening{By: by, At: at(second), Zone: brisbane}
}

func codePage() door.CodePage {
	return door.CodePage{
		As:     "Sam Okafor",
		Site:   "Bayside Auto",
		SentTo: "s••@gmail.example",
		By:     door.ByEmail,
		Until:  "7:12 am",
		Trail: []door.Step{
			happened(door.ByEmail, 4).Sent(),
			happened(door.ByEmail, 6).Taken(),
			web.TrailSoon(door.ByEmail),
		},
		ResendAt: "7:02:34 am",
		Why:      reason.WhyXero("Bayside Auto", true),
		Facts: []reason.Fact{
			reason.FactXero("12 March 2026", "Pat Chen"),
			reason.FactRequired("Bayside Auto", "Tue 1 Dec, 4:00 am"),
			reason.FactDevice(),
		},
		Reference: "BA-7K2M",
		Helpers:   []string{"Pat Chen"},
	}
}

func TestTheSignInPage(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())

	t.Run("asks for email and password", func(t *testing.T) {
		t.Parallel()
		s := webtest.Show(t, kit, "signin", door.SignInPage{Next: "/me"})
		s.Sees("Sign in", "Email", "Password", "Forgotten password", "I need help")
		s.Has(`<title>Sign in · Keyturn</title>`, `action="/signin"`, `name="next" value="/me"`, `href="/reset"`, `href="/help"`, `autocomplete="username webauthn"`, `autocomplete="current-password"`)
	})
	t.Run("says what was wrong beside the field and first in the title", func(t *testing.T) {
		t.Parallel()
		s := webtest.Show(t, kit, "signin-wrong", door.SignInPage{Email: "sam@bayside.example", Fault: door.FaultLogin()})
		s.Sees("That email and password do not go together.")
		s.Has(`<title>That email and password do not`, `aria-invalid="true" aria-describedby="signin-fault"`, `id="signin-fault"`, `value="sam@bayside.example"`)
	})
	t.Run("says what is empty", func(t *testing.T) {
		t.Parallel()
		webtest.Show(t, kit, "signin-empty", door.SignInPage{Fault: door.FaultEmpty()}).Sees("Type your email")
	})
	t.Run("says that an attempt has ended", func(t *testing.T) {
		t.Parallel()
		s := webtest.Show(t, kit, "signin-ended", door.SignInPage{Notice: door.NoticeEnded()})
		s.Sees("took too long")
		s.Has(`role="status"`)
	})
}

func TestTheCodePage(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())

	t.Run("asks for the code and says where it is", func(t *testing.T) {
		t.Parallel()
		s := webtest.Show(t, kit, "code", codePage())
		s.Sees("Signing in as Sam Okafor", "Enter the code", "We sent it to s••@gmail.example. It works until 7:12 am.",
			"Sent by email", "7:02:04 am", "The mail server took it", "In your inbox soon",
			"Another code can be sent from 7:02:34 am.", "Use another way", "Why am I asked?",
			"connected 12 March 2026 by Pat Chen", "Reference BA-7K2M", "not Pat Chen, not us")
		s.Hides("Remember this device", "Send another code", "SMS")
		s.Has(`<noscript><p class="check"><a class="btn slim" href="/signin/code">Check again</a></p></noscript>`, `<b class="nowrap">7:12 am</b>`)
		s.Has(`action="/signin/code"`, `inputmode="numeric" autocomplete="one-time-code"`, `aria-live="polite" data-live`,
			`datetime="2026-12-01T21:02:04Z"`, `<form class="as" method="post" action="/signout">`)
	})
	t.Run("offers another code when its time has come", func(t *testing.T) {
		t.Parallel()
		p := codePage()
		p.CanResend, p.ResendAt = true, ""
		s := webtest.Show(t, kit, "code-again", p)
		s.Sees("Send another code")
		s.Has(`name="method" value="email"`, `action="/signin/method"`)
	})
	t.Run("says that a code is wrong and how many tries are left", func(t *testing.T) {
		t.Parallel()
		p := codePage()
		p.Fault = door.FaultWrong(1)
		s := webtest.Show(t, kit, "code-wrong", p)
		s.Sees("That code is not right. 1 try is left; after that, codes may rest for up to an hour.")
		s.Hides("It cost you no try.")
		s.Has(`<title>That code is not right. 1 try is left; after that, codes may rest for up to an hour. · Enter the code · Bayside Auto</title>`, `aria-invalid="true" aria-describedby="code-fault"`)
	})
	t.Run("leads with the refusal and offers the other way first", func(t *testing.T) {
		t.Parallel()
		p := codePage()
		p.Refused = web.BounceFull()
		p.Fault, p.FaultCostsNothing = door.FaultExpired("6:51 am"), true
		p.Offers = []door.Offer{{Method: door.BySMS, To: "••• 156"}}
		p.ResendAt = ""
		p.Trail = []door.Step{
			happened(door.ByEmail, 4).Sent(),
			happened(door.ByEmail, 7).Refused(web.BounceFull(), []string{"Pat Chen"}),
		}
		s := webtest.Show(t, kit, "code-refused", p)
		s.Sees("Your mail server refused the code", "s••@gmail.example says: mailbox full.", "Send by SMS instead ••• 156",
			"That code is from 6:51 am and has run out. It cost you no try.", "Refused: mailbox full", "Sign in with this code",
			"Empty the mailbox, or ask Pat Chen to have your email put right.")
		s.Hides("Another code can be sent")
	})
	t.Run("leads with the refusal where email is all there is", func(t *testing.T) {
		t.Parallel()
		p := codePage()
		p.Refused, p.CanResend, p.ResendAt = web.BounceUnknown(), true, ""
		p.Trail = []door.Step{
			happened(door.ByEmail, 4).Sent(),
			happened(door.ByEmail, 7).Refused(web.BounceUnknown(), nil),
		}
		s := webtest.Show(t, kit, "code-refused-alone", p)
		s.Sees("no such mailbox", "Send another code")
		s.Hides("SMS", "Ask", "6-digit code")
	})
	t.Run("shows no field while codes rest", func(t *testing.T) {
		t.Parallel()
		p := codePage()
		p.Closed, p.Trail, p.ResendAt = door.ClosedRests("8:02 am"), nil, ""
		s := webtest.Show(t, kit, "code-closed", p)
		s.Sees("No code can be typed now", "rest until 8:02 am", "Use another way")
		if strings.Contains(s.HTML, `name="code"`) {
			t.Error("there is a field for a code that cannot be typed")
		}
	})
	t.Run("has a tick box with the honest time", func(t *testing.T) {
		t.Parallel()
		p := codePage()
		p.RememberUntil = "Thu 3 Dec, 4:00 am"
		s := webtest.Show(t, kit, "code-remember", p)
		s.Sees("Remember this device until Thu 3 Dec, 4:00 am", "never longer than a day")
		s.Has(`name="remember"`)
	})
}

func TestTheOtherPagesOfTheDoor(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())

	for _, c := range []struct {
		name string
		page web.Page
		sees []string
	}{
		{"way", door.WayPage{
			As: "Dale Porter", Site: "Bayside Auto", Helpers: pat, Manager: robin,
			On:  []door.Way{door.WayBy(door.ByEmail, "d••@baysideauto.example")},
			Off: []door.WayOff{door.Off(door.BySMS, policy.NoMobile, door.OffFacts{Fix: policy.FixAdmin, Helpers: pat})},
		}, []string{"A new code to d••@baysideauto.example", "Pat Chen is the Admin of Bayside Auto", "There is no mobile number on your user.", "Pat Chen can put it right in User Setup.", "The account manager of Bayside Auto:", "Robin Ellery", "07 5550 0142"}},
		{"way-none", door.WayPage{
			As: "Dale Porter", Site: "Bayside Auto", Notice: "Mail is slow now, about 6 minutes.", Helpers: both,
			Off: []door.WayOff{door.Off(door.ByEmail, policy.EmailBounced, door.OffFacts{Fix: policy.FixAdmin, Helpers: both}), door.OffWaits(door.BySMS, "7:03 am")},
		}, []string{"No way to get a code works for you", "Mail is slow now, about 6 minutes.", "Pat Chen or Kim Lee can put it right in User Setup", "Pat Chen or Kim Lee can help"}},
		{"way-sent", door.WayPage{
			As: "Dale Porter", Site: "Bayside Auto", Helpers: pat, Sent: true,
			Off: []door.WayOff{door.OffWaits(door.ByEmail, "7:03:04 am")},
		}, []string{"The code that we sent still works", "The next code can be sent from 7:03:04 am."}},
		{"way-no-admin", door.WayPage{As: "Dale Porter", Site: "Bayside Auto"}, []string{"Nobody else at Bayside Auto is an Admin who can be reached.", "07 5550 0100"}},
		{"choose", door.ChoosePage{
			As:    "Robin Ellery",
			Sites: []door.SiteChoice{{ID: "s1", Name: "Bayside Auto", Note: door.NoteAsks()}, {ID: "s2", Name: "Northside Tyres"}},
			Shut:  []door.SiteChoice{{ID: "s3", Name: "Range Mechanical", Note: door.NoteMobile()}},
		}, []string{"Choose a site", "Bayside Auto", "Asks for a code as well", "For you in the mobile app only"}},
		{"more", door.MorePage{
			As: "Sam Okafor", Site: "Bayside Auto", Why: reason.WhyMore("Bayside Auto"), Helpers: pat, Next: "/me",
			Offers: []door.Offer{{Method: door.ByEmail, To: "s••@gmail.example"}},
			Facts:  []reason.Fact{reason.FactXero("2 December 2026", "")},
		}, []string{"One more step", "Bayside Auto is now connected to Xero.", "Send me the code s••@gmail.example", "You stay signed in"}},
		{"more-stuck", door.MorePage{As: "Sam Okafor", Site: "Bayside Auto", Why: reason.WhyMore("Bayside Auto"), Helpers: pat}, []string{"Pat Chen can have an email put in that reaches you"}},
		{"locked", door.LockedPage{As: "Sam Okafor", Site: "Bayside Auto", Since: "9:40 am", Next: "/me"}, []string{"Nothing was done here since 9:40 am.", "Unlock"}},
		{"locked-wrong", door.LockedPage{As: "Sam Okafor", Site: "Bayside Auto", Since: "9:40 am", Fault: door.FaultPassword()}, []string{"That password is not right."}},
		{"refused-mobile", door.RefusedPage{As: "Lee Park", Site: "Bayside Auto", Why: door.MobileOnly, Helpers: pat}, []string{"Use the mobile app", "open it on your phone", "Pat Chen can have this put right."}},
		{"refused-inactive", door.RefusedPage{As: "Lee Park", Site: "Bayside Auto", Why: door.Inactive}, []string{"not active", "Nobody at your site can help just now"}},
		{"refused-blocked", door.RefusedPage{As: "Lee Park", Site: "Bayside Auto", Why: door.Blocked, Helpers: both}, []string{"blocked", "Pat Chen or Kim Lee can have this put right"}},
		{"refused-noway", door.RefusedPage{As: "Lee Park", Site: "Bayside Auto", Why: door.NoWay, Detail: "Your email is not a real address.", Helpers: pat, Manager: robin}, []string{"No code can reach you", "Your email is not a real address.", "Pat Chen can have an email put in", "Robin Ellery"}},
		{"refused-nosite", door.RefusedPage{As: "Lee Park", Why: door.NoSite}, []string{"No site to go to", "Workshop support"}},
		{"signedout", door.SignedOutPage{}, []string{"You are signed out"}},
		{"reset", door.ResetPage{}, []string{"Forgotten password", "Type your email.", "Send me the link", "Workshop support"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			webtest.Show(t, kit, c.name, c.page).Sees(c.sees...)
		})
	}
}

// What a person or a site is called is never markup, and what an address holds is
// never a link of another kind.
func TestHostileNamesStayNames(t *testing.T) {
	t.Parallel()
	kit := webtest.New(t, door.Face())
	const evil = `"><script>alert(1)</script>**{{.}}**\x02&`
	p := codePage()
	p.As, p.Site, p.SentTo, p.Fault, p.Reference, p.Helpers, p.Why = evil, evil, evil, evil, evil, []string{evil, evil}, evil
	p.Facts = []reason.Fact{{What: evil, Which: evil}}
	p.Offers = []door.Offer{{Method: door.By(evil), To: evil}}
	for name, page := range map[string]web.Page{
		"code": p,
		"way": door.WayPage{
			As: evil, Site: evil, Notice: evil, Helpers: []string{evil}, Manager: web.Contact{Name: evil, Phone: evil, Email: evil, Hours: evil},
			On:  []door.Way{{Method: door.By(evil), Name: evil, Hint: evil}},
			Off: []door.WayOff{{Method: door.By(evil), Name: evil, Why: evil, Who: evil}},
		},
		"choose":  door.ChoosePage{As: evil, Sites: []door.SiteChoice{{ID: evil, Name: evil, Note: evil}}},
		"signin":  door.SignInPage{Email: evil, Next: evil, Fault: evil, Notice: evil},
		"locked":  door.LockedPage{As: evil, Site: evil, Since: evil, Next: evil, Fault: evil},
		"refused": door.RefusedPage{As: evil, Site: evil, Detail: evil, Helpers: []string{evil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := webtest.Show(t, kit, "hostile-"+name, page)
			if strings.Contains(s.HTML, "<script>") {
				t.Error("the name became a script")
			}
			if strings.Contains(s.HTML, "<b class=\"addr\">{{") {
				t.Error("stars in a value became bold")
			}
			s.Has("&lt;script&gt;")
		})
	}
}
