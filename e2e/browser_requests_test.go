package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

const (
	nia = "nia@pooles.example" // nobody yet
)

var inviteLink = regexp.MustCompile(`/invitation/[A-Za-z0-9_-]+`)

// asksFor opens the page of requests as Pat, with a fresh proof, and fills in the form.
func (v visitor) asksFor(email, first string) {
	v.t.Helper()
	v.signIn(pat)
	v.Open(strings.Replace(v.approvals(), "/approvals", "/requests", 1))
	if v.Count("#email") > 0 {
		v.t.Error("the form is open to an old proof")
	}
	v.Judge("requests-prove")
	path := v.Path()
	v.provesBySMS()
	v.Open(path)
	v.Fill("first", first)
	v.Fill("last", "Poole")
	v.Fill("email", email)
	e2etest.Ask[bool](v.Page, `document.querySelector('input[name=group][value=Mechanic]').click(), true`)
}

// link is that of the newest invitation to an address.
func (v visitor) link(email string) (path string) {
	v.t.Helper()
	e2etest.Until(v.t, "an invitation to "+email, func() bool {
		for _, m := range v.demo.Messages(v.t, email) {
			if path = inviteLink.FindString(m.Text); path != "" {
				return true
			}
		}
		return false
	})
	return path
}

func TestASiteAsksStaffApproveAndTheNewPersonSignsIn(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	admin := visit(t, demo)
	admin.NeedAxe()
	admin.asksFor("nia@gmial.example", "Nia")
	admin.Judge("requests")
	if status := admin.Press("Ask for this user"); status != http.StatusUnprocessableEntity {
		t.Errorf("a slip was answered with %d", status)
	}
	admin.Sees("Do you mean nia@gmail.example?", "Robin Ellery", "07 5550 0142")
	admin.Judge("requests-slip")
	admin.Fill("email", nia)
	if status := admin.Enter(); status != http.StatusOK {
		t.Errorf("asking by the keyboard was answered with %d", status)
	}
	admin.Sees("Nia Poole", "Waits for your account manager", "Your account manager has it now")
	admin.Judge("requests-asked")

	staff := visit(t, demo)
	staff.console(robin)
	staff.Open("/staff/requests")
	staff.Judge("staff-requests")
	staff.Press("Nia")
	staff.Sees("Bayside Auto", "Pat Chen", "Mechanic", "May use customers", "What changes")
	staff.Judge("staff-request")
	staff.Press("Approve it")
	staff.Sees("The invitation is on its way")

	person := visit(t, demo)
	link := person.link(nia)
	for range 3 {
		person.gets(link, http.StatusOK)
	}
	person.Sees("Pat Chen asked us to let Nia Poole in at Bayside Auto", "Mechanic")
	person.Judge("invitation")
	person.Fill("password", "password")
	if status := person.Press("Save the password and join"); status != http.StatusUnprocessableEntity {
		t.Errorf("a common password was answered with %d", status)
	}
	person.Fill("password", "four plain words together")
	person.Enter()
	person.Sees("You have joined")
	person.Judge("invitation-done")
	had := len(demo.Messages(t, nia))
	person.Press("Sign in now")
	person.Fill("email", nia)
	person.Fill("password", "four plain words together")
	person.Press("Sign in")
	person.At("/signin/code")
	person.Fill("code", demo.NextCode(t, nia, had))
	person.Press("Sign in")
	person.At("/me")
	person.Sees("Nia Poole", "Bayside Auto", "your password and a code by email")
	person.gets(link, http.StatusNotFound)
	person.Judge("invitation-gone")

	admin.Open(admin.Path())
	admin.Sees("Accepted")
}

func TestSomebodyWithASignInJoinsAnotherSiteByOneButton(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	admin := visit(t, demo)
	admin.NeedAxe()
	admin.asksFor(erin, "Erin")
	admin.Press("Ask for this user")
	admin.Sees("Waits for your account manager")
	staff := visit(t, demo)
	staff.console(robin)
	staff.Open("/staff/requests")
	staff.Press("Erin")
	staff.Press("Approve it")

	person := visit(t, demo)
	person.gets(person.link(erin), http.StatusOK)
	person.Sees("signs in here already")
	person.Judge("invitation-known")
	person.Press("Sign in to join")
	person.Fill("email", erin)
	person.Fill("password", demo.Password)
	person.Press("Sign in")
	person.At("/me/invitations")
	person.Judge("invitations")
	person.Press("Join Bayside Auto as Mechanic")
	person.Sees("You have joined Bayside Auto")
	person.Open("/me")
	had := len(demo.Messages(t, erin))
	person.Press("Bayside Auto")
	person.At("/signin/code") // the new site asks for what it requires
	person.Fill("code", demo.NextCode(t, erin, had))
	person.Press("Sign in")
	person.Sees("Bayside Auto", "Mechanic")
}
