package rescue_test

import (
	"testing"

	"keyturn/internal/message"
	"keyturn/internal/policy"
	"keyturn/internal/signin"
)

// An Admin who types a mailbox of their own waits for the person to sign in once, as told,
// and then asks for a link. The authenticator says nothing of who reads that mailbox.
func TestASignInWithAnAuthenticatorGivesAMailboxFromAnAdminNoPowerToRecover(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		show := w.authenticator(t, w.kim)
		kim := w.mailTo(t, w.in(t, w.max, w.site), w.kim, "kim.office@webmail.example")
		if w.recovers(t, kim) {
			t.Fatal("it recovers before any sign-in")
		}
		pass := func(typed signin.Typed, next signin.Next) {
			t.Helper()
			in, err := w.signin.Code(t.Context(), next.Attempt, typed)
			if err != nil || in.Step != signin.In {
				t.Fatalf("in: %+v, %v", in, err)
			}
		}
		pass(signin.Typed{Kind: policy.TOTP, Text: show()}, w.enter(t, kim))
		if m := w.mailbox(t, kim); !m.NoRecovery || m.AwaitsProof || !m.ProvedAt.IsZero() {
			t.Errorf("the mailbox is %+v", m)
		}
		if w.recovers(t, kim) {
			t.Error("it recovers, and nobody has shown that they read it")
		}
		// A code that was sent to that very address, typed after the password, shows it.
		next := w.enter(t, kim)
		if _, err := w.signin.Choose(t.Context(), next.Attempt, policy.Email); err != nil {
			t.Fatal(err)
		}
		codes := w.secrets(t, kim, message.SignInCode)
		pass(signin.Typed{Kind: policy.Email, Text: codes[len(codes)-1]}, next)
		if m := w.mailbox(t, kim); m.NoRecovery || m.ProvedAt.IsZero() || !w.recovers(t, kim) {
			t.Errorf("after its own code the mailbox is %+v", m)
		}
	})
}
