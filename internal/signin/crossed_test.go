package signin_test

import (
	"context"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/session"
	"keyturn/internal/signin"
)

// The code of a sign-in in another browser stays wrong, costs a try like any other, and is
// noted; a wrong code that is nobody's is not.
func TestACodeTypedInAnotherBrowserIsWrongAndIsNoted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var noted []id.User
		w.desk.Crossed = func(_ context.Context, _ *db.Tx, _ id.Site, who id.User) error {
			noted = append(noted, who)
			return nil
		}
		here := session.Place{Browser: "counter", Network: "203.0.113.9", Agent: "Chrome on Windows"}
		there := session.Place{Browser: "office", Network: "203.0.113.9", Agent: "Edge on Windows"}
		_, first := w.again(t, w.pat, here)
		attempt, second := w.again(t, w.pat, there)
		if first == second {
			return // once in a million times
		}
		w.answers(t, attempt, first, signin.WrongCode)
		if len(noted) != 1 || noted[0] != w.pat.ID || w.times(t, w.pat, audit.CodeWrong) != 1 {
			t.Errorf("noted %q", noted)
		}
		other := wrong(second, 1)
		if other == first {
			other = wrong(second, 2)
		}
		w.answers(t, attempt, other, signin.WrongCode)
		if len(noted) != 1 {
			t.Errorf("a code of nobody's is noted: %q", noted)
		}
		if next := w.code(t, attempt, second); next.Session == "" {
			t.Errorf("the right code: %+v", next)
		}
	})
}
