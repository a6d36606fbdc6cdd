package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/config"
	"keyturn/internal/db"
	"keyturn/internal/evidence"
	"keyturn/internal/fault"
	"keyturn/internal/readiness"
	"keyturn/internal/rollout"
	"keyturn/internal/secret"
	"keyturn/internal/sharing"
	"keyturn/internal/standing"
	"keyturn/internal/web/paper"
)

type evidenceCmd struct {
	Make   evidenceMake   `cmd:"" default:"withargs" help:"Write the evidence pack of all sites: FILE, FILE.html to print, and FILE.sig."`
	Verify evidenceVerify `cmd:"" help:"Make sure that a file of a pack is as it was signed, offline."`
}

type evidenceMake struct {
	Out   string `help:"Write the pack to this file, the page to FILE.html and the signature to FILE.sig. None of them may be there." type:"path" required:"" placeholder:"FILE"`
	From  string `help:"Count sign-ins from this day on (UTC); without it, 12 months back." placeholder:"2006-01-02"`
	Until string `help:"Count sign-ins up to this day and on it (UTC); without it, up to now." placeholder:"2006-01-02"`
}

// Run implements the command.
func (e evidenceMake) Run(w *world) (err error) {
	ask, err := e.ask()
	if err != nil {
		return err
	}
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	keys, err := w.keys(c)
	if err != nil {
		return err
	}
	files, err := newPackFiles(e.Out)
	if err != nil {
		return err
	}
	defer func() { err = files.close(err) }()
	ask.Progress = w.progress("read", "sites")
	desk := evidenceDesk(c, d, keys)
	if err := desk.Note(w.ctx, by(), ask); err != nil {
		return err
	}
	pack, err := desk.Write(w.ctx, ask, files.out())
	w.progressEnd()
	if err != nil {
		return err
	}
	n := pack.Totals
	_, err = fmt.Fprintf(w.out, "written: %s, %s.html and %s.sig\nsites with Xero: %d, office members: %d, sign-ins: %d, without a second factor at an enforced site: %d\n",
		e.Out, e.Out, e.Out, n.Listed, n.OfficeMembers, n.SignIns.All, n.SignIns.Without)
	return err
}

func evidenceDesk(c config.Config, d *db.DB, keys *secret.Keys) *evidence.Desk {
	return &evidence.Desk{
		DB: d, Keys: keys, Vendor: c.VendorName, Version: version, KeepDays: c.AuditKeep,
		Readiness: readiness.Source{Standing: standing.Source{SMS: c.SMSURL.Reveal() != "", Countries: c.SMSCountries}},
		Shared:    sharing.Open, Page: paper.Page, Extended: rollout.ExtendedWhy, Gated: rollout.Gated,
	}
}

// ask reads the period. Its days are those of UTC, because sites are in many zones.
func (e evidenceMake) ask() (ask evidence.Ask, err error) {
	for _, day := range []struct {
		typed string
		at    *time.Time
		later int
	}{{e.From, &ask.From, 0}, {e.Until, &ask.Until, 1}} {
		if day.typed == "" {
			continue
		}
		read, err := time.Parse(time.DateOnly, day.typed)
		if err != nil {
			return ask, fmt.Errorf("a day is written as 2026-11-30, and not as %q: %w", day.typed, errUsage)
		}
		*day.at = read.AddDate(0, 0, day.later)
	}
	if !ask.From.IsZero() && !ask.Until.IsZero() && !ask.From.Before(ask.Until) {
		return ask, fmt.Errorf("--until is before --from: %w", errUsage)
	}
	return ask, nil
}

// packFiles are the files of a pack while it is written.
type packFiles struct {
	name              string
	pack, page, sig   *os.File
	spool             *os.File
	made, toBeRemoved []string
}

// newPackFiles makes them; none may be there.
func newPackFiles(name string) (_ *packFiles, err error) {
	f := &packFiles{name: name}
	defer func() {
		if err != nil {
			err = f.close(err)
		}
	}()
	for _, one := range []struct {
		to   **os.File
		path string
	}{{&f.pack, name}, {&f.page, name + ".html"}, {&f.sig, name + ".sig"}} {
		*one.to, err = os.OpenFile(filepath.Clean(one.path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s is there already, and is not written over: %w", one.path, fault.Conflict)
		}
		if err != nil {
			return nil, fmt.Errorf("write the pack: %w", err)
		}
		f.made = append(f.made, one.path)
	}
	// Beside the pack, where there is room for one, and not in a small folder of the system's.
	if f.spool, err = os.CreateTemp(filepath.Dir(name), ".keyturn-evidence-*"); err != nil {
		return nil, fmt.Errorf("write the pack: %w", err)
	}
	f.toBeRemoved = append(f.toBeRemoved, f.spool.Name())
	return f, nil
}

func (f *packFiles) out() evidence.Out {
	return evidence.Out{Name: filepath.Base(f.name), Pack: f.pack, Page: f.page, Signature: f.sig, Spool: f.spool}
}

// close closes them, and leaves nothing behind where something went wrong.
func (f *packFiles) close(err error) error {
	for _, one := range []*os.File{f.pack, f.page, f.sig, f.spool} {
		if one != nil {
			err = errors.Join(err, one.Close())
		}
	}
	gone := f.toBeRemoved
	if err != nil {
		gone = append(gone, f.made...)
	}
	for _, path := range gone {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

type evidenceVerify struct {
	File      string `arg:"" help:"The pack, or its page." type:"existingfile"`
	Key       string `help:"The verifier key that signed it; without it, that of the keys file." placeholder:"KEY"`
	Signature string `help:"The signature; without it, FILE.sig, or for FILE.html that of FILE." type:"existingfile" placeholder:"FILE"`
}

// Run implements the command.
func (v evidenceVerify) Run(w *world) error {
	key, err := v.key(w)
	if err != nil {
		return err
	}
	signature, err := os.ReadFile(filepath.Clean(v.signature()))
	if err != nil {
		return fmt.Errorf("read the signature: %w", err)
	}
	f, err := os.Open(v.File)
	if err != nil {
		return fmt.Errorf("read the pack: %w", err)
	}
	defer func() { _ = f.Close() }()
	signed, err := evidence.Verify(f, signature, key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s is as it was signed by %s: %s\nmade at %s, sign-ins from %s until %s\n", v.File, signed.Origin, signed.Name,
		signed.At.Format(time.RFC3339), signed.From.Format(time.RFC3339), signed.Until.Format(time.RFC3339))
	return err
}

func (v evidenceVerify) key(w *world) (note.Verifier, error) {
	return auditVerify{Key: v.Key}.verifier(w)
}

func (v evidenceVerify) signature() string {
	if v.Signature != "" {
		return v.Signature
	}
	const page = ".html"
	if base, ok := cutEnd(v.File, page); ok {
		return base + ".sig"
	}
	return v.File + ".sig"
}

// cutEnd takes the end of a page's name off, where the signature of what it was made from
// lies beside it.
func cutEnd(name, end string) (string, bool) {
	base := name[:max(0, len(name)-len(end))]
	if base+end != name {
		return name, false
	}
	_, err := os.Stat(base + ".sig")
	return base, err == nil
}
