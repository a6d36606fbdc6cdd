package rescue_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

// userSetup is User Setup and the changes of login names, in this world.
func (w *world) userSetup() (*member.Desk, *login.Desk) {
	l := &login.Desk{DB: w.db, Post: w.desk.Post, VendorName: "Workshop Software"}
	return &member.Desk{
		DB: w.db, Post: w.desk.Post, Standing: w.signin.Standing, Login: l, Domains: member.Domains{Real: []string{"example"}},
		Countries: []string{"AU"}, VendorName: "Workshop Software", Invite: w.desk.InviteFirst, EndGiven: w.desk.EndGivenBy,
	}, l
}

// save has an Admin save somebody's form, and look past its doubts.
func (w *world) save(t *testing.T, by authority.Bearer, whom id.User, p member.Person, change func(*member.Form)) member.Saved {
	t.Helper()
	d, _ := w.userSetup()
	card, err := d.Card(t.Context(), by, whom)
	if err != nil {
		t.Fatal(err)
	}
	typed := member.Typed{Was: card.Form, Now: card.Form, Person: p}
	change(&typed.Now)
	saved, err := d.Save(t.Context(), by, whom, typed)
	if err == nil && saved.Refused == member.Doubtful {
		typed.Sure = saved.Sure
		saved, err = d.Save(t.Context(), by, whom, typed)
	}
	if err != nil || saved.Refused != "" {
		t.Fatalf("saved: %+v, %v", saved, err)
	}
	return saved
}

// mailTo gives somebody another email, as an Admin does.
func (w *world) mailTo(t *testing.T, by authority.Bearer, whom user.User, to string) user.User {
	t.Helper()
	w.save(t, by, whom.ID, member.Same, func(f *member.Form) { f.Email = to })
	return w.reread(t, whom.ID)
}

func (w *world) reread(t *testing.T, who id.User) user.User {
	t.Helper()
	u, err := user.ByID(t.Context(), w.db, who)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// mailbox is the one mailbox that somebody has.
func (w *world) mailbox(t *testing.T, who user.User) method.Method {
	t.Helper()
	all, err := method.Of(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(m method.Method) bool { return m.Kind != policy.Email })
	if len(all) != 1 {
		t.Fatalf("the mailboxes are %+v", all)
	}
	return all[0]
}

// recovers says whether somebody who forgot the password gets a link by mail.
func (w *world) recovers(t *testing.T, who user.User) bool {
	t.Helper()
	w.db.Clock.Advance(time.Hour) // past the pause between two links
	before := len(w.secrets(t, who, message.ResetLink))
	w.forgot(t, string(who.Login))
	return len(w.secrets(t, who, message.ResetLink)) > before
}

// toldAt are the kinds of the notices that went to a mailbox.
func (w *world) toldAt(t *testing.T, mailbox string) []string {
	t.Helper()
	return texts(t, w.db, `SELECT kind FROM notices WHERE address = '`+mailbox+`' ORDER BY notice_id`)
}

// enter signs somebody in as far as the question for a code.
func (w *world) enter(t *testing.T, who user.User) signin.Next {
	t.Helper()
	next, err := w.signin.Password(t.Context(), signin.Try{
		Login: string(who.Login), Password: secret.NewText(rightPassword), Place: home, Client: policy.ClientWeb,
	})
	if err != nil || next.Step != signin.AskCode {
		t.Fatalf("%s at the door: %+v, %v", who.Login, next, err)
	}
	return next
}

// authenticator gives somebody one that they have proved, and what it shows now.
func (w *world) authenticator(t *testing.T, who user.User) (show func() string) {
	t.Helper()
	var key method.TOTPSecret
	show = func() string {
		s, err := totp.GenerateCode(strings.ReplaceAll(key.Text(), " ", ""), w.db.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		m, made, err := method.LinkTOTP(ctx, tx, w.keys, who.ID, "phone")
		if err != nil {
			return err
		}
		key = made
		_, err = method.ConfirmTOTP(ctx, tx, w.keys, who.ID, m.ID, show())
		return err
	})
	w.db.Clock.Advance(2 * time.Minute) // a code counts once
	return show
}
