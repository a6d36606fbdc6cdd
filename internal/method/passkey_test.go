package method_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"testing"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
)

func TestAPasskeyIsMadeAndIsASecondFactorAndAWholeSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.addPasskey(t, w.twn)
		f, m := w.addPasskey(t, w.pat)
		if got := w.methods(t, w.pat, policy.Passkey); len(got) != 1 || got[0].ID != m.ID || got[0].Name != "my phone" || got[0].ProvedAt.IsZero() || got[0].Pending {
			t.Fatalf("the passkeys are %+v", got)
		}
		for _, who := range []id.User{w.pat.ID, "", w.pat.ID} {
			token, options := w.beginUse(t, who)
			of, got, ok := w.finishUse(t, who, token, f.signs(t, options))
			if !ok || of != w.pat.ID || got.ID != m.ID {
				t.Errorf("asked of %q: %v, %q, %q", who, ok, of, got.ID)
			}
		}
		if w.rows(t, "ceremonies") != 0 {
			t.Error("ceremonies are left")
		}
	})
}

func TestTheBrowserIsAskedForUserVerificationAndADiscoverablePasskeyWithoutAttestation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f, _ := w.addPasskey(t, w.pat)
		w.addPasskey(t, w.twn)
		var made struct {
			PublicKey struct {
				RP                     struct{ ID, Name string }
				User                   struct{ ID, Name, DisplayName string }
				Timeout                int
				Attestation            string
				AuthenticatorSelection struct {
					ResidentKey, UserVerification string
					RequireResidentKey            bool
				}
				ExcludeCredentials []struct{ ID string }
			}
		}
		_, options := w.beginAdd(t, w.pat)
		if err := json.Unmarshal(options, &made); err != nil {
			t.Fatal(err)
		}
		key, handle := made.PublicKey, base64.RawURLEncoding.EncodeToString(f.auth.Options.UserHandle)
		if key.RP.ID != ours.ID || key.RP.Name != ours.Name || key.User.ID != handle || key.User.Name != "pat@bayside.example" || key.User.DisplayName != "Pat Lee" ||
			key.Timeout != 300_000 || key.Attestation != "none" || key.AuthenticatorSelection.ResidentKey != "required" ||
			!key.AuthenticatorSelection.RequireResidentKey || key.AuthenticatorSelection.UserVerification != "required" {
			t.Errorf("it asks %s", options)
		}
		own := base64.RawURLEncoding.EncodeToString(f.key.ID)
		if len(key.ExcludeCredentials) != 1 || key.ExcludeCredentials[0].ID != own {
			t.Errorf("it excludes %v", key.ExcludeCredentials)
		}
		for who, lists := range map[id.User]int{w.pat.ID: 1, "": 0} {
			var used struct {
				PublicKey struct {
					RPID, UserVerification string
					Timeout                int
					AllowCredentials       []struct{ ID string }
				}
			}
			_, options := w.beginUse(t, who)
			if err := json.Unmarshal(options, &used); err != nil {
				t.Fatal(err)
			}
			key := used.PublicKey
			if key.RPID != ours.ID || key.UserVerification != "required" || key.Timeout != 300_000 || len(key.AllowCredentials) != lists || lists == 1 && key.AllowCredentials[0].ID != own {
				t.Errorf("asked of %q: %s", who, options)
			}
		}
	})
}

func TestAnAnswerIsLookedAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := phoneOf(t, w.pat)
		token, options := w.beginAdd(t, w.pat)
		made := f.makes(t, options)
		if _, ok := w.finishAdd(t, w.pat, token, made); !ok {
			t.Fatal("the first answer is refused")
		}
		if _, ok := w.finishAdd(t, w.pat, token, made); ok {
			t.Error("the making is replayed")
		}
		for _, who := range []id.User{w.pat.ID, ""} {
			token, options = w.beginUse(t, who)
			signed := f.signs(t, options)
			if _, _, ok := w.finishUse(t, who, token, signed); !ok {
				t.Fatal("the first answer is refused")
			}
			if _, _, ok := w.finishUse(t, who, token, signed); ok {
				t.Error("the use is replayed")
			}
			again, _ := w.beginUse(t, who)
			if _, _, ok := w.finishUse(t, who, again, signed); ok {
				t.Error("an answer passes in another ceremony")
			}
			token, options = w.beginUse(t, who)
			if _, _, ok := w.finishUse(t, who, token, "{}"); ok {
				t.Error("nothing passes")
			}
			if _, _, ok := w.finishUse(t, who, token, f.signs(t, options)); ok {
				t.Error("a wrong answer leaves the ceremony open")
			}
		}
	})
}

func TestAWrongAnswerMakesAndPassesNothing(t *testing.T) {
	t.Parallel()
	wrong := map[string]func(f *phone){
		"another origin":            func(f *phone) { f.site.Origin = "https://login.vendor.example.evil.example" },
		"another port":              func(f *phone) { f.site.Origin += ":8443" },
		"no TLS":                    func(f *phone) { f.site.Origin = "http://login.vendor.example" },
		"another RP id":             func(f *phone) { f.site.ID = "vendor.example" },
		"without user verification": func(f *phone) { f.auth.Options.UserNotVerified = true },
		"without the user":          func(f *phone) { f.auth.Options.UserNotPresent = true },
		"backed up, never eligible": func(f *phone) { f.auth.Options.BackupState = true },
	}
	each(t, func(t *testing.T, w *world) {
		w.addPasskey(t, w.twn)
		right, _ := w.addPasskey(t, w.pat)
		for name, change := range wrong {
			f := phoneOf(t, w.pat)
			change(f)
			token, options := w.beginAdd(t, w.pat)
			if _, ok := w.finishAdd(t, w.pat, token, f.makes(t, options)); ok {
				t.Errorf("%s: a passkey is made", name)
			}
			used := *right
			change(&used)
			for _, who := range []id.User{w.pat.ID, ""} {
				if w.use(t, who, &used) {
					t.Errorf("%s: it passes for %q", name, who)
				}
			}
		}
		forged := *right
		forged.key.Key = wholeKey().Key
		if w.use(t, w.pat.ID, &forged) || w.use(t, "", &forged) {
			t.Error("another key signs for it")
		}
		if !w.use(t, w.pat.ID, right) || len(w.methods(t, w.pat, policy.Passkey)) != 1 || w.rows(t, "passkeys") != 2 {
			t.Error("the right one does not pass any more")
		}
	})
}

func TestAPasskeyOfAnotherPassesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat, _ := w.addPasskey(t, w.pat)
		twin, _ := w.addPasskey(t, w.twn)
		if w.use(t, w.pat.ID, twin) {
			t.Error("the twin's passes for Pat")
		}
		posing := *twin
		posing.auth.Options.UserHandle = pat.auth.Options.UserHandle
		if w.use(t, "", &posing) || w.use(t, w.pat.ID, &posing) {
			t.Error("the twin's passes with Pat's handle")
		}
		for _, handle := range [][]byte{nil, {1}, []byte("0123456789abcdef"), make([]byte, 64)} {
			posing.auth.Options.UserHandle = handle
			if w.use(t, "", &posing) {
				t.Errorf("it passes with the handle %x", handle)
			}
		}
		// A ceremony is its user's own, and a whole sign-in's is none of a user's.
		token, options := w.beginUse(t, w.pat.ID)
		signed := pat.signs(t, options)
		for _, who := range []id.User{w.twn.ID, ""} {
			if _, _, ok := w.finishUse(t, who, token, signed); ok {
				t.Errorf("Pat's ceremony passes for %q", who)
			}
		}
		if _, ok := w.finishAdd(t, w.pat, token, signed); ok {
			t.Error("a use makes a passkey")
		}
		if of, _, ok := w.finishUse(t, w.pat.ID, token, signed); !ok || of != w.pat.ID {
			t.Error("others' tries used Pat's ceremony up")
		}
		if of, _, ok := w.discoverable(t, twin); !ok || of != w.twn.ID {
			t.Error("the twin's own does not pass")
		}
	})
}

func (w *world) discoverable(t *testing.T, f *phone) (id.User, method.Method, bool) {
	t.Helper()
	token, options := w.beginUse(t, "")
	return w.finishUse(t, "", token, f.signs(t, options))
}

func TestACredentialIsOneUsersOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f, m := w.addPasskey(t, w.pat)
		stolen := phoneOf(t, w.twn)
		stolen.key.ID = f.key.ID
		token, options := w.beginAdd(t, w.twn)
		if _, ok := w.finishAdd(t, w.twn, token, stolen.makes(t, options)); ok {
			t.Error("the twin takes it over")
		}
		if len(w.methods(t, w.twn, policy.Passkey)) != 0 || w.rows(t, "ceremonies") != 0 || !w.use(t, w.pat.ID, f) {
			t.Error("the refusal leaves something, or takes it from Pat")
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return method.Remove(ctx, tx, w.pat.ID, m.ID) })
		if w.use(t, "", f) {
			t.Error("a removed passkey passes")
		}
		w.refuses(t, fault.NotFound, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := w.passkeys(t).BeginUse(ctx, tx, w.pat.ID)
			return err
		})
		token, options = w.beginAdd(t, w.pat)
		if _, ok := w.finishAdd(t, w.pat, token, f.makes(t, options)); !ok || !w.use(t, "", f) {
			t.Error("what was removed cannot be added again")
		}
	})
}

func TestACounterThatDoesNotGoOnIsNotRight(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f, _ := w.addPasskey(t, w.pat)
		for _, try := range []struct {
			counter uint32
			right   bool
		}{{0, true}, {0, true}, {5, true}, {5, false}, {4, false}, {0, false}, {6, true}, {1 << 31, true}, {7, false}} {
			f.key.Counter = try.counter
			if ok := w.use(t, w.pat.ID, f); ok != try.right {
				t.Errorf("counter %d: %v", try.counter, ok)
			}
		}
	})
}

func TestBackupFlagsAreKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := phoneOf(t, w.pat)
		f.auth.Options.BackupEligible = true
		token, options := w.beginAdd(t, w.pat)
		if _, ok := w.finishAdd(t, w.pat, token, f.makes(t, options)); !ok {
			t.Fatal("it is not made")
		}
		backed := func() (eligible, state bool) {
			raw, err := db.One(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT credential FROM passkeys`)
			if err != nil {
				t.Fatal(err)
			}
			var record struct {
				Flags struct{ BackupEligible, BackupState bool }
			}
			if err := json.Unmarshal([]byte(raw), &record); err != nil {
				t.Fatal(err)
			}
			return record.Flags.BackupEligible, record.Flags.BackupState
		}
		if eligible, state := backed(); !eligible || state {
			t.Error("made: ", eligible, state)
		}
		f.auth.Options.BackupState = true
		if !w.use(t, w.pat.ID, f) {
			t.Error("it does not pass once it is backed up")
		}
		if eligible, state := backed(); !eligible || !state {
			t.Error("used: ", eligible, state)
		}
		f.auth.Options.BackupEligible, f.auth.Options.BackupState = false, false
		if w.use(t, w.pat.ID, f) {
			t.Error("what may be backed up changed")
		}
	})
}

func TestAUserHasTenPasskeysAtMost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for range method.Most {
			w.addPasskey(t, w.pat)
		}
		w.refuses(t, fault.Invalid, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := w.passkeys(t).BeginAdd(ctx, tx, w.pat.ID, "x", "x")
			return err
		})
		w.addPasskey(t, w.twn)
	})
}

func TestAtABareIPAddressThereAreNoPasskeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for address, possible := range map[string]bool{
			"http://127.0.0.1:8080": false, "http://[::1]:8080": false, "http://localhost:8080": true, "https://login.vendor.example": true,
		} {
			public, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			p, err := method.NewPasskeys(w.db, public, "Workshop Software")
			if err != nil || p.Possible() != possible {
				t.Errorf("%s: %v, %v", address, p.Possible(), err)
			}
			if possible {
				continue
			}
			w.refuses(t, fault.NotFound, func(ctx context.Context, tx *db.Tx) error {
				_, _, err := p.BeginAdd(ctx, tx, w.pat.ID, "x", "x")
				return err
			})
			w.refuses(t, fault.NotFound, func(ctx context.Context, tx *db.Tx) error {
				_, _, err := p.BeginUse(ctx, tx, "")
				return err
			})
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				_, made, err := p.FinishAdd(ctx, tx, w.pat.ID, "x", "{}", "")
				if err != nil {
					return err
				}
				_, _, used, err := p.FinishUse(ctx, tx, "", "x", "{}")
				if made || used {
					t.Error("something passes")
				}
				return err
			})
		}
		if (*method.Passkeys)(nil).Possible() {
			t.Error("nothing can have passkeys")
		}
	})
}
