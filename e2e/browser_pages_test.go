package e2e_test

import (
	"net/http"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestEveryPageThatIsOpenToAllIsSound(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()

	v.gets("/reset", http.StatusOK)
	v.Judge("reset")
	v.gets("/no/such/page", http.StatusNotFound)
	v.Sees("There is no such page")
	v.Judge("error-404")
	v.gets("/api/v1/docs", http.StatusOK)
	v.Judge("api-docs")
	v.gets("/help", http.StatusOK)
	v.Judge("help")
	for _, guide := range e2etest.Ask[[]string](v.Page, `[...document.querySelectorAll(".guides a")].map((a) => a.getAttribute("href"))`) {
		v.gets(guide, http.StatusOK)
		v.Judge("help-" + guide[len("/help/"):])
	}
}

func TestThePagesOfThoseWhoDoNotGetInAreSound(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	visit(t, demo).NeedAxe()
	for _, one := range []struct{ who, email, picture, says string }{
		{"a mobile member", luca, "refused-mobile", "Use the mobile app"},
		{"a member whose mailbox is known to be dead", "gary@redgumdiesel.example", "stuck-nobody", "None of your ways works now"},
		{"a member whose mailbox is full", mick, "code-refused", "Your mail server refused the code"},
		{"a member without any admin who is reached", lee, "stuck-bounced", "No mail gets through to your address"},
	} {
		t.Run(one.who, func(t *testing.T) {
			t.Parallel()
			v := visit(t, demo)
			v.password(one.email)
			v.Await(one.says)
			v.Judge(one.picture)
		})
	}
}

// Whoever tries a stolen list of passwords learns nothing from the answer.
func TestABlockedMemberReadsTheSameAsAWrongPassword(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.password(nobody)
	v.At("/signin")
	unknown := v.Text()
	for _, email := range []string{"vic@baysideauto.example", "grace@baysideauto.example"} {
		v.password(email)
		v.At("/signin")
		if said := v.Text(); said != unknown {
			t.Errorf("%s reads: %s\nan unknown name reads: %s", email, said, unknown)
		}
	}
}

func TestABookkeeperOfSeveralSitesChoosesOneAndGoesToAnother(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()

	v.password(bev)
	v.At("/signin/site")
	v.Sees("Bayside Auto", "Northside Tyres", free)
	v.Judge("choose")
	v.Press(free)
	v.At("/me")
	v.Sees("your password")
	v.Judge("me-several")

	v.Press("Bayside Auto")
	v.At("/signin/code")
	v.Fill("code", v.demo.NextCode(t, bev, 0))
	v.Press("Sign in")
	v.At("/me")
	v.Sees("Bayside Auto", "your password and a code by email")
}

func TestTheDesksPagesAndTheMailAreSound(t *testing.T) {
	t.Parallel()
	v := visit(t, e2etest.StartDemo(t))
	v.NeedAxe()

	v.gets("/demo", http.StatusOK)
	v.Judge("demo")
	v.gets("/demo/inbox", http.StatusOK)
	v.Judge("demo-inbox-empty")
	v.password(pat)
	code := v.demo.NextCode(t, pat, 0)
	v.gets("/demo/inbox", http.StatusOK)
	v.Judge("demo-inbox")
	v.Press(code[:3] + " " + code[3:])
	v.Judge("demo-letter")
	v.Press("See it as a mail program shows it")
	v.Sees(code[:3] + " " + code[3:])
	// The address of the mail lets no script run, not even ours that judges it.
	v.Hold(e2etest.Get(t, v.demo.URL+v.Path()))
	v.Judge("mail")
}
