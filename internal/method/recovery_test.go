package method_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/user"
)

func (w *world) makeRecovery(t *testing.T, who user.User) (m method.Method, codes []string) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		m, codes, err = method.MakeRecovery(ctx, tx, w.keys, who.ID)
		return err
	})
	return m, codes
}

func (w *world) tryRecovery(t *testing.T, who user.User, typed string) (left int, ok bool) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		_, left, ok, err = method.TryRecovery(ctx, tx, w.keys, who.ID, typed)
		return err
	})
	return left, ok
}

func (w *world) left(t *testing.T, who user.User) int {
	t.Helper()
	n, err := method.RecoveryLeft(t.Context(), w.db, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEachOfTenRecoveryCodesLetsItsOwnerInOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		m, codes := w.makeRecovery(t, w.pat)
		_, others := w.makeRecovery(t, w.twn)
		if len(codes) != 10 || m.Kind != policy.Recovery || m.ProvedAt.IsZero() || !m.ProvedAt.Equal(m.LinkedAt) {
			t.Fatalf("%d codes of %+v", len(codes), m)
		}
		for i, code := range codes {
			if parts := strings.Split(code, "-"); len(parts) != 4 || len(code) != 19 {
				t.Errorf("%d groups", len(parts))
			}
			if _, ok := w.tryRecovery(t, w.twn, code); ok {
				t.Error("it lets the twin in")
			}
			if left, ok := w.tryRecovery(t, w.pat, code); !ok || left != 9-i || w.left(t, w.pat) != 9-i {
				t.Errorf("code %d: %v, %d left", i, ok, left)
			}
			if _, ok := w.tryRecovery(t, w.pat, code); ok {
				t.Error("it lets in again")
			}
		}
		if left, ok := w.tryRecovery(t, w.twn, others[0]); !ok || left != 9 {
			t.Error("the twin's own is used up")
		}
	})
}

func TestANewSetEndsTheOldOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		old, codes := w.makeRecovery(t, w.pat)
		w.makeRecovery(t, w.twn)
		fresh, _ := w.makeRecovery(t, w.pat)
		if got := w.methods(t, w.pat, policy.Recovery); len(got) != 1 || got[0].ID != fresh.ID || fresh.ID == old.ID {
			t.Errorf("the sets are %+v", got)
		}
		if _, ok := w.tryRecovery(t, w.pat, codes[0]); ok {
			t.Error("an old code lets in")
		}
		if len(w.methods(t, w.pat, policy.Email)) != 1 {
			t.Error("another method went with the old set")
		}
		if w.rows(t, "recovery_codes") != 20 || w.left(t, w.pat) != 10 || w.left(t, w.twn) != 10 {
			t.Error("the codes of the old set are kept, or others are gone")
		}
	})
}

func TestOfSetsMadeAtOnceOneIsLeft(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				err := w.try(t, func(ctx context.Context, tx *db.Tx) error {
					_, _, err := method.MakeRecovery(ctx, tx, w.keys, w.pat.ID)
					return err
				})
				if err != nil && !errors.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(w.methods(t, w.pat, policy.Recovery)) != 1 || w.left(t, w.pat) != 10 || w.rows(t, "recovery_codes") != 10 {
			t.Error("more than one set is left")
		}
	})
}

func TestOneOfManyEqualRecoveryCodesAtOnceWins(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, w *world, rawURL string) {
		over := []*db.DB{w.db}
		if w.db.Engine() == db.Postgres {
			over = append(over, dbtest.Open(t, rawURL))
		}
		_, codes := w.makeRecovery(t, w.pat)
		wins := race(t, over, func(ctx context.Context, tx *db.Tx) (bool, error) {
			_, _, ok, err := method.TryRecovery(ctx, tx, w.keys, w.pat.ID, codes[3])
			return ok, err
		})
		if wins != 1 || w.left(t, w.pat) != 9 {
			t.Errorf("%d won", wins)
		}
	})
}

func TestARecoveryCodeIsKeptAsAHashOfItsOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, codes := w.makeRecovery(t, w.pat)
		stored, err := db.Many(t.Context(), w.db, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT hash FROM recovery_codes ORDER BY code_no`)
		if err != nil {
			t.Fatal(err)
		}
		for i, hash := range stored {
			plain, _ := method.ReadRecovery(codes[i])
			if len(hash) != 37 || strings.Contains(string(hash), plain) {
				t.Errorf("code %d is kept as %x", i, hash)
			}
		}
	})
}

func TestRecoveryCodesAreReadAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"0123-4567-89AB-CDEF":      "0123456789ABCDEF",
		" 0123 4567 89ab cdef\t":   "0123456789ABCDEF",
		"ol23–4567—89ab‑cdef":      "0123456789ABCDEF",
		"OI23456789abcdef":         "0123456789ABCDEF",
		"0123-4567-89AB-CDE":       "",
		"0123-4567-89AB-CDEFG":     "",
		"0123-4567-89AB-CDEU":      "",
		"0123-4567-89AB-CDE!":      "",
		"123456":                   "",
		"":                         "",
		"ſ123-4567-89AB-CDEF":      "",
		strings.Repeat(" ", 1<<20): "",
	} {
		got, ok := method.ReadRecovery(typed)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%.40q is read as %q, %v", typed, got, ok)
		}
	}
	letters := rapid.SliceOfN(rapid.SampledFrom([]rune("0123456789ABCDEFGHJKMNPQRSTVWXYZ")), 16, 16)
	rapid.Check(t, func(r *rapid.T) {
		code := string(letters.Draw(r, "code"))
		var typed strings.Builder
		for _, c := range code {
			typed.WriteString(rapid.SampledFrom([]string{"", " ", "-", "–"}).Draw(r, "between"))
			typed.WriteRune(rapid.SampledFrom(spellings(c)).Draw(r, "letter"))
		}
		if got, ok := method.ReadRecovery(typed.String()); !ok || got != code {
			r.Fatalf("%q is read as %q", typed.String(), got)
		}
	})
}

// spellings are the ways to write one letter of a code.
func spellings(c rune) []rune {
	switch c {
	case '0':
		return []rune("0oO")
	case '1':
		return []rune("1iIlL")
	}
	return []rune{c, unicode.ToLower(c)}
}

func TestTryingGarbageAsARecoveryCodeIsAPlainNo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.makeRecovery(t, w.pat)
		for _, typed := range []string{"", "123456", "0000-0000-0000-0000", strings.Repeat("A", 1<<16), "\xff\xfe"} {
			if _, ok := w.tryRecovery(t, w.pat, typed); ok {
				t.Errorf("%.20q lets in", typed)
			}
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			_, _, ok, err := method.TryRecovery(ctx, tx, w.keys, id.New[id.User](), "0000-0000-0000-0000")
			if ok {
				t.Error("nobody's code lets in")
			}
			return err
		})
		w.refuses(t, fault.NotFound, func(ctx context.Context, tx *db.Tx) error {
			_, _, err := method.PendingTOTP(ctx, tx, w.keys, w.pat.ID)
			return err
		})
	})
}

func FuzzReadRecovery(f *testing.F) {
	for _, s := range []string{"0123-4567-89AB-CDEF", "ol23 4567", "ACD-EFG-HJK", "ſ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if code, ok := method.ReadRecovery(typed); ok {
			if again, ok := method.ReadRecovery(code); !ok || again != code || len(code) != 16 {
				t.Errorf("%q is read as %q and then as %q", typed, code, again)
			}
		}
		if code, ok := method.ReadHelpCode(typed); ok {
			if again, ok := method.ReadHelpCode(code); !ok || again != code || len(code) != 9 {
				t.Errorf("%q is read as %q and then as %q", typed, code, again)
			}
		}
	})
}
