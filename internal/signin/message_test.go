package signin_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/limit"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/signin"
	"keyturn/internal/user"
)

// states are the states of all messages, in the order of their making, with a mark on
// those that still hold a code.
func (w *world) states(t *testing.T) []string {
	t.Helper()
	return texts(t, w.db, `
		SELECT state || CASE WHEN sealed IS NULL THEN '' ELSE ' sealed' END FROM messages ORDER BY created_at, message_id`)
}

// steps is the timeline of the newest code's message.
func (w *world) steps(t *testing.T, attempt string) []message.StepKind {
	t.Helper()
	var all []message.StepKind
	for _, s := range w.view(t, attempt).Code.Trail {
		all = append(all, s.Kind)
	}
	return all
}

// unseal reads a code before it is sent, which only the holder of the keys can.
func (w *world) unseal(t *testing.T, v signin.View) string {
	t.Helper()
	sealed, err := db.One(t.Context(), w.db, func(r db.Row) (b []byte, err error) { return b, r.Scan(&b) },
		`SELECT sealed FROM messages WHERE message_id = $1`, string(v.Code.Message.ID))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := w.keys.Open(secret.Place{
		Owner: string(v.User.ID), Table: "messages", Row: string(v.Code.Message.ID), Column: "sealed",
	}, sealed)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// drained works on everything that waits, and returns when that is done: a letter to
// somebody else, promised last, has come and no job runs any more.
func (w *world) drained(t *testing.T) {
	t.Helper()
	w.begin(t, w.kim, at("", "192.0.2.250"))
	w.start(t)
	w.inbox.letter(t, w.kim)
	w.stop(t)
}

func TestACodePromisedByAProcessThatDiedArrivesOnce(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, rawURL string) {
		t.Helper()
		keys, err := secret.Memory()
		if err != nil {
			t.Fatal(err)
		}
		died := open(t, rawURL, keys)
		died.people(t)
		attempt := died.begin(t, died.pat, home)
		want := died.unseal(t, died.view(t, attempt))
		if err := died.db.Close(); err != nil {
			t.Fatal(err)
		}
		w := open(t, rawURL, keys)
		w.pat, w.kim = died.pat, died.kim
		w.drained(t)
		if got := w.inbox.code(t, w.pat); got != want || w.inbox.left(w.pat) != 0 {
			t.Errorf("the code %s arrived, not %s, and %d more letters", got, want, w.inbox.left(w.pat))
		}
		if got := w.steps(t, attempt); !slices.Equal(got, []message.StepKind{message.StepPromised, message.StepAccepted}) {
			t.Errorf("the timeline: %q", got)
		}
		if next := w.code(t, attempt, want); next.Step != signin.In {
			t.Errorf("the code: %+v", next)
		}
	})
}

func TestWhatWasUsedReplacedOrHasRunOutIsNotSent(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, w *world) {
		t.Helper()
		expired := w.begin(t, w.pat, home)
		w.db.Clock.Advance(signin.CodeLife)
		used := w.begin(t, w.pat, home)
		if next := w.code(t, used, w.unseal(t, w.view(t, used))); next.Step != signin.In {
			t.Fatalf("before it was sent: %+v", next)
		}
		replaced := w.begin(t, w.pat, home)
		w.db.Clock.Advance(limit.CodeNext.Window)
		w.send(t, replaced)
		last := w.unseal(t, w.view(t, replaced))
		guessed := w.begin(t, w.pat, home)
		w.miss(t, guessed, w.unseal(t, w.view(t, guessed)), limit.GuessesPerCode)
		w.drained(t)
		if got := w.inbox.code(t, w.pat); got != last || w.inbox.left(w.pat) != 0 {
			t.Errorf("the code %s arrived, not %s, and %d more letters", got, last, w.inbox.left(w.pat))
		}
		if got, want := w.states(t)[:5], []string{"expired", "dropped", "dropped", "accepted sealed", "dropped"}; !slices.Equal(got, want) {
			t.Errorf("the messages are %q", got)
		}
		if got := w.steps(t, expired); !slices.Equal(got, []message.StepKind{message.StepPromised, message.StepExpired}) {
			t.Errorf("the timeline of the expired one: %q", got)
		}
	})
}

func TestASweepWipesWhatHasRunOut(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, w *world) {
		t.Helper()
		w.begin(t, w.pat, home)
		w.db.Clock.Advance(time.Minute)
		w.begin(t, w.kim, home)
		w.db.Clock.Advance(signin.CodeLife - 30*time.Second)
		if err := w.db.Do(t.Context(), func(tx *db.Tx) error {
			return message.Sweep(t.Context(), tx, 10)
		}); err != nil {
			t.Fatal(err)
		}
		if got := w.states(t); !slices.Equal(got, []string{"expired", "queued sealed"}) {
			t.Errorf("the messages are %q", got)
		}
	})
}

func TestWhatIsLongOverIsRemovedAndWhatIsNotStays(t *testing.T) {
	t.Parallel()
	still(t, func(t *testing.T, w *world) {
		t.Helper()
		w.single(t, w.twinPat, home)
		w.begin(t, w.pat, home)
		w.db.Clock.Advance(100 * 24 * time.Hour)
		w.single(t, w.twinPat, home)
		w.begin(t, w.kim, home)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return errors.Join(message.Sweep(ctx, tx, 10), signin.Sweep(ctx, tx, 10), session.Sweep(ctx, tx, 10))
		})
		for table, want := range map[string]string{
			"attempts": "2", "challenges": "1", "codes": "1", "messages": "1", "message_steps": "1", "sessions": "1", "known_places": "2",
		} {
			if got := texts(t, w.db, `SELECT CAST(COUNT(*) AS TEXT) FROM `+table); got[0] != want {
				t.Errorf("%s has %s rows, want %s", table, got[0], want)
			}
		}
	})
}

func TestALetterThatNobodyTakesIsTriedAgainAndThePersonIsToldOfTheDelay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		tries := 0
		w.inbox.says(func(message.Letter) (message.Receipt, error) {
			if tries++; tries < 3 {
				return message.Receipt{Relay: "one.example:25", Reason: message.RelayDown}, errors.New("no relay answered")
			}
			return message.Receipt{Relay: "two.example:25", Accepted: true}, nil
		})
		attempt := w.begin(t, w.pat, home)
		first, second, third := w.inbox.letter(t, w.pat), w.inbox.letter(t, w.pat), w.inbox.letter(t, w.pat)
		w.stop(t)
		if first.Key != second.Key || second.Key != third.Key || first.Text != third.Text {
			t.Error("the repeats are other letters")
		}
		trail := w.view(t, attempt).Code.Trail
		if got := w.steps(t, attempt); !slices.Equal(got, []message.StepKind{message.StepPromised, message.StepDelayed, message.StepAccepted}) {
			t.Fatalf("the timeline: %q", got)
		}
		if trail[1].Why != message.RelayDown || trail[2].Carrier != "two.example:25" {
			t.Errorf("the timeline: %+v", trail)
		}
		if next := w.code(t, attempt, codeIn(t, third)); next.Step != signin.In {
			t.Errorf("the code: %+v", next)
		}
	})
}

func TestARefusalForGoodIsShownRememberedAndRecorded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		w.inbox.says(func(l message.Letter) (message.Receipt, error) {
			r := message.Receipt{Relay: "relay.example:25", Permanent: true, Code: 550, Status: "5.1.1", Reason: message.NoSuchMailbox, Text: "no such user"}
			if l.To == string(w.kim.Login) {
				r.Reason = message.MailboxFull
			}
			return r, nil
		})
		dead, full := w.begin(t, w.pat, home), w.begin(t, w.kim, home)
		w.inbox.letter(t, w.pat)
		w.inbox.letter(t, w.kim)
		w.stop(t)
		for attempt, why := range map[string]message.Reason{dead: message.NoSuchMailbox, full: message.MailboxFull} {
			trail := w.view(t, attempt).Code.Trail
			if got := trail[len(trail)-1]; got.Kind != message.StepRefused || got.Why != why || got.Said != "no such user" {
				t.Errorf("the timeline: %+v", trail)
			}
		}
		for who, want := range map[*user.User]policy.Health{&w.pat: policy.HealthRefused, &w.kim: policy.HealthUnknown} {
			all, err := method.Of(t.Context(), w.db, who.ID)
			if err != nil || len(all) != 1 || all[0].Health != want || all[0].HealthWhy == "" {
				t.Errorf("the method of %s: %+v, %v", who.Login, all, err)
			}
			if got := w.times(t, *who, audit.MessageRefused); got != 1 {
				t.Errorf("%s: %d refusals in the trail", who.Login, got)
			}
		}
		if v := w.view(t, dead); v.Step != signin.Stuck || !slices.Equal(v.Helpers, nil) {
			t.Errorf("whoever has no other way sees %q, to be helped by %q", v.Step, v.Helpers)
		}
		if v := w.view(t, full); v.Step != signin.AskCode || len(v.Helpers) != 0 { // Pat is stuck at the same door
			t.Errorf("a full mailbox can be emptied: %q, to be helped by %q", v.Step, v.Helpers)
		}
	})
}

func TestTheDatabaseNeverHoldsACodeThatCanBeRead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		var codes []string
		attempt, digits := w.again(t, w.pat, home)
		w.db.Clock.Advance(limit.CodeNext.Window)
		w.send(t, attempt)
		codes = append(codes, digits, w.inbox.code(t, w.pat))
		w.miss(t, attempt, codes[1], 2)
		w.code(t, attempt, codes[1])
		_, waiting := w.again(t, w.kim, home)
		codes = append(codes, waiting)
		w.stop(t)
		everything := w.everything(t)
		if len(everything) < 1000 || !strings.Contains(everything, string(w.pat.ID)) {
			t.Fatal("nothing was read")
		}
		for _, c := range codes {
			for _, form := range []string{c, c[:3] + " " + c[3:], c[:3] + "&nbsp;" + c[3:], wrong(codes[1], 1)} {
				if found := regexp.MustCompile(`(^|[^0-9A-Za-z])` + form + `([^0-9A-Za-z]|$)`).FindString(everything); found != "" {
					t.Errorf("%s is there as %q", c, found)
				}
			}
			for _, form := range []string{hex.EncodeToString([]byte(c)), base64.StdEncoding.EncodeToString([]byte(c))} {
				if strings.Contains(everything, form) {
					t.Errorf("%s is there as %q", c, form)
				}
			}
		}
		text := map[db.Engine]string{db.SQLite: `json(args)`, db.Postgres: `CAST(args AS TEXT)`}[w.db.Engine()]
		for _, args := range texts(t, w.db, `SELECT `+text+` FROM river_job WHERE kind = 'deliver'`) {
			var got map[string]string
			if err := json.Unmarshal([]byte(args), &got); err != nil || len(got) != 2 || len(got["user"]) != 36 || len(got["message"]) != 36 {
				t.Errorf("a job holds more than two ids: %s, %v", args, err)
			}
		}
	})
}

// everything is each text and each blob of the database, and the file where there is one.
func (w *world) everything(t *testing.T) string {
	t.Helper()
	columns := `
		SELECT table_name || ' ' || column_name FROM information_schema.columns
		 WHERE table_schema = 'public' AND data_type NOT IN ('bigint', 'smallint', 'integer', 'boolean', 'timestamp with time zone')`
	if w.db.Engine() == db.SQLite {
		columns = `
			SELECT m.name || ' ' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
			 WHERE m.type = 'table' AND UPPER(c.type) NOT IN ('BIGINT', 'INTEGER', 'BOOLEAN', 'TIMESTAMP', 'DATETIME')`
	}
	var all strings.Builder
	for _, column := range texts(t, w.db, columns) {
		table, name, _ := strings.Cut(column, " ")
		for _, value := range texts(t, w.db, `SELECT COALESCE(CAST(`+name+` AS TEXT), '') FROM `+table) {
			fmt.Fprintf(&all, "%s: %s\n", column, value)
		}
	}
	for _, file := range texts(t, w.db, w.files()) {
		for _, name := range []string{file, file + "-wal"} {
			raw, err := os.ReadFile(name)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			all.Write(raw)
		}
	}
	return all.String()
}

// files asks for the database's file, where it is one.
func (w *world) files() string {
	if w.db.Engine() == db.SQLite {
		return `SELECT file FROM pragma_database_list WHERE name = 'main'`
	}
	return `SELECT '' WHERE 1 = 0`
}
