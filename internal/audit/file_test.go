package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
)

// exported are the lines of a site's file: ten events and the end.
func exported(tb testing.TB, d *db.DB, by note.Signer) []string {
	tb.Helper()
	var out bytes.Buffer
	if err := audit.Export(tb.Context(), d, &out, bayside, by); err != nil {
		tb.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func fileVerified(tb testing.TB, lines []string, key note.Verifier, then *audit.Heads) (found []audit.Finding) {
	tb.Helper()
	if _, err := audit.VerifyFile(strings.NewReader(strings.Join(lines, "")), key, then, watch(&found)); err != nil {
		tb.Fatal(err)
	}
	return found
}

func TestAFileIsVerifiedOffline(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by, key := keys(t)
		ten(t, d)
		then := checkpoint(t, d)
		record(t, d, entered(bayside, pat))
		do(t, d, erasing(kim))
		lines := exported(t, d, by)
		var found []audit.Finding
		tally, err := audit.VerifyFile(strings.NewReader(strings.Join(lines, "")), key, &then, watch(&found))
		if err != nil || tally != (audit.Tally{Chains: 1, Events: 12, Compared: 1, Held: 2}) {
			t.Errorf("%+v, %v", tally, err)
		}
		green(t, found)
		green(t, fileVerified(t, exported(t, d, nil), nil, nil))

		var all bytes.Buffer
		if err := audit.ExportAll(t.Context(), d, &all, by); err != nil {
			t.Fatal(err)
		}
		green(t, fileVerified(t, []string{all.String()}, key, &then))
	})
}

func TestASitesFileHoldsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by, _ := keys(t)
		ten(t, d)
		record(t, d, entered("", pat))
		file := strings.Join(exported(t, d, by), "")
		if strings.Contains(file, string(twin)) || strings.Contains(file, "people:") {
			t.Error("the file speaks of others")
		}
		if n := strings.Count(file, `{"body":`); n != 10 {
			t.Errorf("the file has %d events", n)
		}
		if err := audit.Export(t.Context(), d, &bytes.Buffer{}, "", by); !errors.Is(err, fault.Invalid) {
			t.Errorf("a file of no site: %v", err)
		}
	})
}

func TestEachTamperingOfAFileIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	by, key := keys(t)
	ten(t, d)
	lines := exported(t, d, by)
	replaced := func(at int, from, to string) func([]string) []string {
		return func(l []string) []string {
			if !strings.Contains(l[at], from) {
				t.Fatalf("line %d has no %s: %s", at+1, from, l[at])
			}
			l[at] = strings.Replace(l[at], from, to, 1)
			return l
		}
	}
	for _, c := range []struct {
		name   string
		tamper func([]string) []string
		line   int64
		seq    int64
		says   string
	}{
		{"a changed event", replaced(4, "email", "phone"), 5, 4, "not the one whose hash is stored"},
		{"a changed personal value", replaced(4, "203.0.113.7", "192.0.2.1"), 5, 4, `"actor.network"`},
		{"a changed hash", replaced(5, `"hashes":["`, `"hashes":["00`), 6, -1, "cannot be read"},
		{"a line that is no event", func(l []string) []string { l[4] = "{}\n"; return l }, 5, -1, "cannot be read"},
		{"a field that nobody knows", replaced(4, `{"body"`, `{"extra":1,"body"`), 5, -1, "cannot be read"},
		{"a removed line", func(l []string) []string { return slices.Delete(l, 4, 5) }, 5, 4, "events 4 to 4 are missing"},
		{"three removed lines", func(l []string) []string { return slices.Delete(l, 0, 3) }, 1, 0, "events 0 to 2 are missing"},
		{"two swapped lines, the first", func(l []string) []string { l[2], l[7] = l[7], l[2]; return l }, 3, 7, "moved or doubled"},
		{"two swapped lines, the second", func(l []string) []string { l[2], l[7] = l[7], l[2]; return l }, 8, 2, "moved or doubled"},
		{"two swapped neighbours", func(l []string) []string { l[4], l[5] = l[5], l[4]; return l }, 5, 5, "moved or doubled"},
		{"a doubled line", func(l []string) []string { return slices.Insert(l, 5, l[4]) }, 6, 4, "moved or doubled"},
		{"a cut end", func(l []string) []string { return slices.Delete(l, 8, 10) }, 9, 8, "the end was cut"},
		{"a cut end, the last line too", func(l []string) []string { return l[:8] }, 0, -1, "end is missing"},
		{"a cut end with a count that fits", func(l []string) []string {
			l = slices.Delete(l, 9, 10)
			l[9] = strings.Replace(l[9], `"size":10`, `"size":9`, 1)
			return l
		}, 10, -1, "not those that the file's end stands for"},
		{"a changed checkpoint", replaced(10, `\norigin a`, `\norigin b`), 11, -1, "not signed"},
		{"an end that was not signed", replaced(10, `"size":10`, `"size":9`), 11, -1, "not what was signed"},
		{"a line after the end", func(l []string) []string { l[10] += "\n"; return append(l, l[3]) }, 12, -1, "after the end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := fileVerified(t, c.tamper(slices.Clone(lines)), key, nil)
			ok := slices.ContainsFunc(found, func(f audit.Finding) bool {
				return f.Line == c.line && f.Seq == c.seq && strings.Contains(f.What, c.says)
			})
			if !ok {
				t.Errorf("found %v", found)
			}
		})
	}
}

// TestEachByteOfAFileCounts holds for the bits that tell letters, and their case, apart:
// also where a reader of JSON or base64 would not mind.
func TestEachByteOfAFileCounts(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	by, key := keys(t)
	record(t, d, entered(bayside, pat), entered(bayside, kim))
	lines := exported(t, d, by)
	for at := range lines {
		for i := range strings.TrimSuffix(lines[at], "\n") {
			for _, bit := range []byte{1, 0x20} {
				changed := slices.Clone(lines)
				text := []byte(changed[at])
				text[i] ^= bit
				changed[at] = string(text)
				found := fileVerified(t, changed, key, nil)
				if !slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Line == int64(at+1) }) && !endGone(found, at, lines) {
					t.Errorf("byte %d of line %d was changed, and found is %v:\n%s", i, at+1, found, changed[at])
				}
			}
		}
	}
}

// endGone says that the last line was changed into none, and the file's end is missed.
func endGone(found []audit.Finding, at int, lines []string) bool {
	return at == len(lines)-1 && slices.ContainsFunc(found, func(f audit.Finding) bool { return strings.Contains(f.What, "end is missing") })
}

func TestAnOlderOrRewrittenFileIsFoundAgainstACheckpoint(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	unguarded(t, d)
	by, key := keys(t)
	ten(t, d)
	older := exported(t, d, by)
	record(t, d, entered(bayside, pat))
	then := checkpoint(t, d)
	says(t, fileVerified(t, older, key, &then), chainOf(bayside), 10, "the checkpoint has 11")

	wipe(t, d)
	ten(t, d)
	record(t, d, entered(bayside, pat))
	rewritten := exported(t, d, by)
	green(t, fileVerified(t, rewritten, key, nil))
	says(t, fileVerified(t, rewritten, key, &then), chainOf(bayside), 10, "not the one of the checkpoint")
}

func TestACheckpointIsBelievedOnlyIfTheKeySignedIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by, key := keys(t)
		_, other := keys(t)
		ten(t, d)
		msg, err := audit.Checkpoint(t.Context(), d, by)
		if err != nil {
			t.Fatal(err)
		}
		h, err := audit.OpenCheckpoint(msg, key)
		if err != nil || h.Origin != "audit.keyturn.example" || len(h.Chains) != 2 || h.Chains[0].Chain != chainOf(bayside) || h.Chains[0].Size != 10 {
			t.Errorf("opened %+v, %v", h, err)
		}
		if _, err := audit.OpenCheckpoint(msg, other); !errors.Is(err, fault.Invalid) {
			t.Errorf("with another key: %v", err)
		}
		forged := bytes.Replace(msg, []byte(" 10 "), []byte(" 9 "), 1)
		if _, err := audit.OpenCheckpoint(forged, key); !errors.Is(err, fault.Invalid) {
			t.Errorf("changed: %v", err)
		}
		letter, err := note.Sign(&note.Note{Text: "something else\n\n\n"}, by)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := audit.OpenCheckpoint(letter, key); !errors.Is(err, fault.Invalid) {
			t.Errorf("a letter: %v", err)
		}
	})
}

// FuzzVerifyFile holds that no file, however made, ends the program.
func FuzzVerifyFile(f *testing.F) {
	d := dbtest.Open(f, dbtest.Fresh(f, db.SQLite))
	by, key := keys(f)
	ten(f, d)
	f.Add(strings.Join(exported(f, d, by), ""))
	f.Add(`{"body":{"actor":{"id":"","kind":""},"at":0,"chain":"a","facts":{},"id":"","kind":"","personal":{},"seq":9000000000000000000,"site":"","user":"","v":1}}`)
	f.Add(`{"body":{"actor":{"id":"","kind":""},"at":0,"chain":"a","facts":{},"id":"","kind":"","personal":{},"seq":9223372036854775807,"site":"","user":"","v":1}}
{"body":{"actor":{"id":"","kind":""},"at":0,"chain":"a","facts":{},"id":"","kind":"","personal":{},"seq":0,"site":"","user":"","v":1}}`)
	f.Add(`{"end":{"heads":[{"chain":"a","size":-1,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = audit.VerifyFile(strings.NewReader(text), key, nil, audit.Watch{})
	})
}

func TestAFileThatHoldsNothingOfACheckpointIsFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by, key := keys(t)
		ten(t, d)
		record(t, d, entered(twin, pat))
		signed, size, err := audit.SiteCheckpoint(t.Context(), d, d.Clock.Now(), bayside, by)
		if err != nil {
			t.Fatal(err)
		}
		then, err := audit.OpenCheckpoint(signed, key)
		if err != nil {
			t.Fatal(err)
		}
		var other bytes.Buffer
		if err := audit.Export(t.Context(), d, &other, twin, by); err != nil {
			t.Fatal(err)
		}
		raw(t, d, `DELETE FROM audit_heads WHERE chain = $1`, "site:"+string(bayside)) // the whole trail is gone; the vendor has the key
		var nothing bytes.Buffer
		if err := audit.Export(t.Context(), d, &nothing, bayside, by); err != nil {
			t.Fatal(err)
		}
		for what, file := range map[string]string{"another site's": other.String(), "one without events": nothing.String(), "an empty one": ""} {
			found := fileVerified(t, []string{file}, key, &then)
			if !slices.ContainsFunc(found, func(f audit.Finding) bool {
				return f.Chain == chainOf(bayside) && strings.Contains(f.What, fmt.Sprintf("not in the file; the checkpoint has %d events", size))
			}) {
				t.Errorf("%s: found %v", what, found)
			}
		}
	})
}

func TestACheckpointOfTheHouseDemandsOneOfItsChainsOfASitesFileAndAllOfAWholeExport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		by, key := keys(t)
		ten(t, d)
		record(t, d, entered(twin, pat), entered("", pat))
		then := checkpoint(t, d)

		var compared []string
		w := audit.Watch{Compared: func(chain string, events int64) { compared = append(compared, fmt.Sprint(chain, " ", events)) }}
		tally, err := audit.VerifyFile(strings.NewReader(strings.Join(exported(t, d, by), "")), key, &then, w)
		if err != nil || tally != (audit.Tally{Chains: 1, Events: 10, Compared: 1, Held: 3}) || fmt.Sprint(compared) != "["+chainOf(bayside)+" 10]" {
			t.Errorf("a site's file: %+v, %v, compared %v", tally, err, compared)
		}

		var all bytes.Buffer
		if err := audit.ExportAll(t.Context(), d, &all, nil); err != nil {
			t.Fatal(err)
		}
		green(t, fileVerified(t, []string{all.String()}, nil, &then))
		raw(t, d, `DELETE FROM audit_heads WHERE chain = $1`, chainOf(twin))
		all.Reset()
		if err := audit.ExportAll(t.Context(), d, &all, nil); err != nil {
			t.Fatal(err)
		}
		says(t, fileVerified(t, []string{all.String()}, nil, &then), chainOf(twin), -1, "the chain is not in the file")
		none := audit.Heads{Origin: then.Origin, At: then.At}
		says(t, fileVerified(t, exported(t, d, by), key, &none), "", -1, "nothing was compared")
		says(t, verifiedAgainst(t, d, none), chainOf(twin), -1, "head is missing")
	})
}
