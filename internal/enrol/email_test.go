package enrol_test

import (
	"strings"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/enrol"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

func TestOnesOwnEmailIsChangedByTheCodeThatWentToTheNewOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		h, token := w.in(t, w.kim, freshEmail)
		old := string(w.kim.Login)
		for typed, want := range map[string]enrol.Refused{
			"kim at home": enrol.BadEmail, string(w.twinKim.Login): enrol.CannotUse, old: enrol.CannotUse, "a@b.example,c@d.example": enrol.BadEmail,
		} {
			if done, err := w.desk.LinkEmail(t.Context(), h, typed); err != nil || done.Refused != want {
				t.Errorf("%q: %+v, %v", typed, done, err)
			}
		}
		codes := map[string]string{}
		for _, to := range []string{"kim.one@home.example", "kim.two@home.example"} {
			if done, err := w.desk.LinkEmail(t.Context(), h, to); err != nil || done.Refused != "" {
				t.Fatalf("link %s: %+v, %v", to, done, err)
			}
			codes[to] = strings.ReplaceAll(shown.FindString(w.inbox.next(t, to)), " ", "")
		}
		// The code that went to the first address proves nothing of the second.
		if done, err := w.desk.ProveEmail(t.Context(), h, codes["kim.one@home.example"]); err != nil || done.Refused != enrol.StaleCode && done.Refused != enrol.WrongCode {
			t.Errorf("the first code: %+v, %v", done, err)
		}
		if now, err := user.ByID(t.Context(), w.db, w.kim.ID); err != nil || string(now.Login) != old {
			t.Errorf("the login name is %s before the proof: %v", now.Login, err)
		}
		done, err := w.desk.ProveEmail(t.Context(), h, codes["kim.two@home.example"])
		if err != nil || done.Refused != "" || done.Session == "" || done.Session == token {
			t.Fatalf("the second code: %+v, %v", done, err)
		}
		if now, err := user.ByID(t.Context(), w.db, w.kim.ID); err != nil || now.Login != "kim.two@home.example" {
			t.Errorf("the login name is %s: %v", now.Login, err)
		}
		var mail []string
		for _, m := range w.methods(t, w.kim) {
			if m.Kind == policy.Email {
				mail = append(mail, m.Address)
				if m.ProvedAt.IsZero() || m.Pending || m.NoRecovery || m.AwaitsProof {
					t.Errorf("the mailbox is %+v", m)
				}
			}
		}
		if len(mail) != 1 || mail[0] != "kim.two@home.example" || w.times(t, w.kim, audit.LoginChanged) != 1 {
			t.Errorf("the mailboxes are %v", mail)
		}
		if text := w.inbox.next(t, old); !strings.Contains(text, "/undo/") {
			t.Errorf("the old address is told: %s", text)
		}
		if done, err := w.desk.ProveEmail(t.Context(), w.again(t, h, done.Session), codes["kim.two@home.example"]); err != nil || done.Refused == "" {
			t.Errorf("the code a second time: %+v, %v", done, err)
		}
	})
}
