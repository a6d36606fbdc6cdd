package enrol_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

const number, nextNumber = "+61491570156", "+61491570110"

type way struct {
	name   string
	change policy.Change
	// free says that it only takes power away, and quiet that nothing ends by it.
	free, quiet bool
	// enrols says that an enrol-only session may do it.
	enrols bool
	do     func(t *testing.T, w *world, h enrol.Holder) enrol.Done
}

func ways() []way {
	return []way{
		{name: "add an authenticator", change: policy.AddMethod, enrols: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			return w.addApp(t, h)
		}},
		{name: "add a passkey", change: policy.AddMethod, enrols: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			return w.addPasskey(t, h)
		}},
		{name: "add a mobile", change: policy.AddMethod, enrols: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			return w.addMobile(t, h, number)
		}},
		{name: "make recovery codes", change: policy.OtherChange, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			codes, done, err := w.desk.MakeRecovery(t.Context(), h)
			if err != nil || (len(codes) == 10) != (done.Refused == "") {
				t.Fatal(len(codes), done, err)
			}
			return done
		}},
		{name: "remove a method", change: policy.RemoveMethod, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			for _, m := range w.methods(t, h.User) {
				if m.Kind == policy.TOTP {
					return answer(t)(w.desk.Remove(t.Context(), h, m.ID))
				}
			}
			t.Fatal("nothing to remove")
			return enrol.Done{}
		}},
		{name: "change the password", change: policy.OtherChange, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			return answer(t)(w.desk.ChangePassword(t.Context(), h, secret.NewText("a staple of horses")))
		}},
		{name: "rename a method", change: policy.OtherChange, quiet: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			return answer(t)(w.desk.Rename(t.Context(), h, w.methods(t, h.User)[0].ID, "my mailbox"))
		}},
		{name: "choose the usual way", change: policy.OtherChange, quiet: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			return answer(t)(w.desk.SetUsual(t.Context(), h, policy.Email))
		}},
		{name: "sign out everywhere", free: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			return answer(t)(w.desk.EndOthers(t.Context(), h))
		}},
		{name: "forget a device", free: true, quiet: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			which, _ := w.device(t, h.User)
			return answer(t)(w.desk.ForgetDevice(t.Context(), h, which))
		}},
		{name: "end a session", free: true, quiet: true, do: func(t *testing.T, w *world, h enrol.Holder) enrol.Done {
			t.Helper()
			other, _ := w.inFrom(t, h.User, freshEmail, away)
			return answer(t)(w.desk.EndSession(t.Context(), h, other.Session.ID))
		}},
	}
}

func answer(t *testing.T) func(enrol.Done, error) enrol.Done {
	t.Helper()
	return func(done enrol.Done, err error) enrol.Done {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
}

func (w *world) addApp(t *testing.T, h enrol.Holder) enrol.Done {
	t.Helper()
	setup, done, err := w.desk.BeginTOTP(t.Context(), h)
	if err != nil || done.Refused != "" {
		return answer(t)(done, err)
	}
	return answer(t)(w.desk.ConfirmTOTP(t.Context(), h, w.shows(t, setup), "my phone"))
}

func (w *world) addPasskey(t *testing.T, h enrol.Holder) enrol.Done {
	t.Helper()
	c, done, err := w.desk.BeginPasskey(t.Context(), h)
	if err != nil || done.Refused != "" {
		return answer(t)(done, err)
	}
	return answer(t)(w.desk.FinishPasskey(t.Context(), h, enrol.Made{Token: c.Token, Response: makes(t, h.User, c), Name: "my key"}))
}

func (w *world) addMobile(t *testing.T, h enrol.Holder, to string) enrol.Done {
	t.Helper()
	done, err := w.desk.LinkMobile(t.Context(), h, to)
	if err != nil || done.Refused != "" {
		return answer(t)(done, err)
	}
	return answer(t)(w.desk.ProveMobile(t.Context(), h, w.inbox.code(t, to)))
}

func (w *world) device(t *testing.T, who user.User) (which id.Device, token string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		d, err := session.DeviceUnder(ctx, tx, session.Device{
			User: who.ID, Sites: map[id.Site]int64{w.bay.ID: 0}, Place: away, EndsAt: tx.Now.Add(10 * time.Hour),
		})
		if err != nil {
			return err
		}
		d, token, err = session.RememberDevice(ctx, tx, d)
		which = d.ID
		return err
	})
	return which, token
}
