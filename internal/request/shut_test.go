package request_test

import (
	"context"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

var hers = secret.NewText("grease under every nail")

// shut invites the twin's Kim, whose only place is as the statement leaves it.
func (w *world) shut(t *testing.T, set string) (request.Ref, string) {
	t.Helper()
	w.change(t, `UPDATE memberships SET `+set+` WHERE site_id = $1 AND user_id = $2`, w.twin.ID, w.twinKim.ID)
	f := nia
	f.Email = string(w.twinKim.Login)
	return w.invited(t, f)
}

func TestWhoLeftOneWorkshopJoinsAnotherByTheLinkAndTheirPassword(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]string{"inactive": `status = 'inactive'`, "app": `kind = 'mobile'`, "over": `access_until = 1`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) {
				_, token := w.shut(t, set)
				before := w.again(t, w.twinKim)
				v, ok, err := w.desk.View(t.Context(), token)
				if err != nil || !ok || v.New || !v.Shut {
					t.Fatalf("%+v, %t, %v", v, ok, err)
				}
				out, err := w.desk.Accept(t.Context(), token, words, phone)
				if err != nil || !out.Wrong {
					t.Errorf("a wrong password: %+v, %v", out, err)
				}
				if _, in := w.membership(t, string(w.twinKim.Login), w.site); in {
					t.Fatal("a member by the link alone")
				}
				if out, err = w.desk.Accept(t.Context(), token, hers, phone); err != nil || out.Wrong || out.Gone {
					t.Fatalf("the right one: %+v, %v", out, err)
				}
				if m, in := w.membership(t, string(w.twinKim.Login), w.site); !in || m.Group != policy.GroupMechanic {
					t.Errorf("the membership is %+v", m)
				}
				after := w.again(t, w.twinKim)
				same := after.Password.Encoded() == before.Password.Encoded()
				after.Password = before.Password
				if !same || after != before {
					t.Errorf("more than a membership: %+v, before %+v", after, before)
				}
				if n := w.count(t, w.site.ID, audit.InvitationAccepted); n != 1 {
					t.Errorf("accepted %d times", n)
				}
				if again, err := w.desk.Accept(t.Context(), token, hers, phone); err != nil || !again.Gone {
					t.Errorf("the link again: %+v, %v", again, err)
				}
				next, err := w.door.Password(t.Context(), signin.Try{
					Login: string(w.twinKim.Login), Password: hers, Place: phone, Client: policy.ClientWeb,
				})
				if err != nil || next.Wrong != "" {
					t.Errorf("the sign-in: %+v, %v", next, err)
				}
			})
		})
	}
}

func TestGuessesAtAnInvitationAreThoseOfTheSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, token := w.shut(t, `status = 'inactive'`)
		for range 5 {
			if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || !out.Wrong {
				t.Fatalf("%+v, %v", out, err)
			}
		}
		if out, err := w.desk.Accept(t.Context(), token, hers, phone); err != nil || !out.Wrong {
			t.Errorf("the right one after five wrong ones: %+v, %v", out, err)
		}
	})
}

func TestWhoCanSignInAcceptsInASessionOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Email = string(w.twinKim.Login)
		_, token := w.invited(t, f)
		if out, err := w.desk.Accept(t.Context(), token, hers, phone); err != nil || !out.Gone {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

func TestALiveInvitationIsKnownAsLongAsItStands(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		invited := func(who user.User) (yes bool) {
			w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
				yes, err = w.desk.Invited(ctx, tx, tx.Now, who.ID)
				return err
			})
			return yes
		}
		ref, _ := w.shut(t, `status = 'inactive'`)
		if !invited(w.twinKim) || invited(w.kim) {
			t.Error("whose invitation is it?")
		}
		if refused, err := w.desk.Withdraw(t.Context(), w.in(t, w.pat, w.site), ref.ID); err != nil || refused != "" {
			t.Fatal(refused, err)
		}
		if invited(w.twinKim) {
			t.Error("it was withdrawn")
		}
	})
}

func (w *world) again(t *testing.T, who user.User) user.User {
	t.Helper()
	u, err := user.ByID(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
