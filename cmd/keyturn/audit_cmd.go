package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/request"
	"keyturn/internal/rescue"
	"keyturn/internal/sharing"
	"keyturn/internal/site"
	"keyturn/internal/trail"
	"keyturn/internal/user"
)

type auditCmd struct {
	Export     auditExport     `cmd:"" help:"Write the trail as JSON Lines, of one site or of all."`
	Verify     auditVerify     `cmd:"" help:"Make sure that the trail is as it was written."`
	Checkpoint auditCheckpoint `cmd:"" help:"Print a signed checkpoint, to be kept outside the database."`
	Erase      auditErase      `cmd:"" help:"Wipe the personal values of one user from the trail; it verifies as before."`
	Key        auditKey        `cmd:"" help:"Print the verifier key, with which anybody can check what was signed here."`
}

type auditExport struct {
	Site string `help:"The site's reference; without it, everything." placeholder:"REF"`
	Out  string `help:"Write to this file and not to the screen." type:"path" placeholder:"FILE"`
}

// Run implements the command.
func (e auditExport) Run(w *world) (err error) {
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	keys, err := w.keys(c)
	if err != nil {
		return err
	}
	which, err := siteByRef(w, d, e.Site)
	if err != nil {
		return err
	}
	to := w.out
	if e.Out != "" {
		f, err := os.OpenFile(filepath.Clean(e.Out), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		to = f
	}
	if which == "" {
		return audit.ExportAll(w.ctx, d, to, keys.CheckpointSigner())
	}
	return audit.Export(w.ctx, d, to, which, keys.CheckpointSigner())
}

// siteByRef finds a site's id; no reference stands for no site.
func siteByRef(w *world, d *db.DB, ref string) (id.Site, error) {
	if ref == "" {
		return "", nil
	}
	s, err := site.ByRef(w.ctx, d, ref)
	if errors.Is(err, fault.NotFound) {
		return "", errNoSite
	}
	if err != nil {
		return "", fmt.Errorf("find the site by its reference: %w", err)
	}
	return s.ID, nil
}

type auditCheckpoint struct{}

// Run implements the command.
func (auditCheckpoint) Run(w *world) (err error) {
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	keys, err := w.keys(c)
	if err != nil {
		return err
	}
	signed, err := audit.Checkpoint(w.ctx, d, keys.CheckpointSigner())
	if err != nil {
		return err
	}
	_, err = w.out.Write(signed)
	return err
}

type auditKey struct{}

// Run implements the command. The key may be given to everybody.
func (auditKey) Run(w *world) error {
	c, err := w.settings()
	if err != nil {
		return err
	}
	keys, err := w.keys(c)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.out, keys.VerifierText())
	return err
}

// auditErase names the user and why. The words of why are few and fixed: a free text would
// stand in the trail for good, and might itself be personal.
type auditErase struct {
	User  string `help:"The user's id." xor:"who" required:"" placeholder:"ID"`
	Email string `help:"The user's login name." xor:"who" required:"" placeholder:"EMAIL"`
	Why   string `help:"Why: request (the person asked), left (they have left), order (an authority ordered it)." enum:"request,left,order" required:""`
}

// Run implements the command.
func (e auditErase) Run(w *world) (err error) {
	_, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	who, err := e.whom(w, d)
	if err != nil {
		return err
	}
	n, err := trail.Erase(w.ctx, d, by(), who, trail.Why(e.Why), request.Forget, sharing.Forget, rescue.Forget, authority.Forget)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "erased: %d personal values of user %s; the trail verifies as before\n", n, who)
	return err
}

// errNoUser says that nobody has the id or login name.
var errNoUser = fmt.Errorf("there is no such user: %w", fault.NotFound)

func (e auditErase) whom(w *world, d *db.DB) (id.User, error) {
	var u user.User
	var err error
	if e.User != "" {
		u, err = user.ByID(w.ctx, d, id.User(e.User))
	} else {
		var login address.Canonical
		if login, err = address.Login(e.Email); err == nil {
			u, err = user.ByLogin(w.ctx, d, login)
		}
	}
	if errors.Is(err, fault.NotFound) {
		return "", errNoUser
	}
	return u.ID, err
}

type auditVerify struct {
	File    string `arg:"" optional:"" help:"An export; without it, the database is verified." type:"existingfile"`
	Against string `help:"A checkpoint that was kept elsewhere: as it was printed, the text of a mail with one, or a file of KEYTURN_CHECKPOINT_DIR." type:"existingfile" placeholder:"CHECKPOINT"`
	Key     string `help:"The verifier key that signed checkpoint and export; without it, that of the keys file." placeholder:"KEY"`
}

// errTampered is the answer of a trail that is not as it was written.
var errTampered = errors.New("the audit trail is not as it was written")

// Run implements the command.
func (v auditVerify) Run(w *world) (err error) {
	key, err := v.verifier(w)
	if err != nil {
		return err
	}
	var then *audit.Heads
	if v.Against != "" {
		raw, err := os.ReadFile(filepath.Clean(v.Against))
		if err != nil {
			return fmt.Errorf("read the checkpoint: %w", err)
		}
		heads, err := trail.Open(raw, key)
		if err != nil {
			return err
		}
		then = &heads
	}
	var compared []string
	watch := audit.Watch{
		Found: func(f audit.Finding) { _, _ = fmt.Fprintln(w.out, f) },
		Compared: func(chain string, events int64) {
			compared = append(compared, fmt.Sprintf("%q up to event %d", chain, events-1))
		},
		Progress: w.progress("verified", "events"),
	}
	tally, err := v.verify(w, key, then, watch)
	w.progressEnd()
	if err != nil {
		return err
	}
	if tally.Findings > 0 {
		return fmt.Errorf("%w: findings: %d, events: %d, chains: %d", errTampered, tally.Findings, tally.Events, tally.Chains)
	}
	_, err = fmt.Fprintf(w.out, "the audit trail is as it was written: events: %d, chains: %d\n", tally.Events, tally.Chains)
	if err != nil || then == nil {
		return err
	}
	const named = 3 // more are counted
	if more := len(compared) - named; more > 0 {
		compared = append(compared[:named], fmt.Sprintf("and %d more", more))
	}
	_, err = fmt.Fprintf(w.out, "compared with the checkpoint: %d of its %d chains: %s\n", tally.Compared, tally.Held, strings.Join(compared, ", "))
	return err
}

func (v auditVerify) verify(w *world, key note.Verifier, then *audit.Heads, watch audit.Watch) (t audit.Tally, err error) {
	if v.File != "" {
		f, err := os.Open(v.File)
		if err != nil {
			return t, fmt.Errorf("read the export: %w", err)
		}
		defer func() { _ = f.Close() }()
		return audit.VerifyFile(io.Reader(f), key, then, watch)
	}
	_, d, err := w.useDB()
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return audit.VerifySigned(w.ctx, d, key, then, watch)
}

// verifier is the key to check signatures with. An export is verified offline, without
// configuration, when the key is given.
func (v auditVerify) verifier(w *world) (note.Verifier, error) {
	if v.Key != "" {
		key, err := note.NewVerifier(v.Key)
		if err != nil {
			return nil, fmt.Errorf("the verifier key cannot be read: %w", errUsage)
		}
		return key, nil
	}
	c, err := w.settings()
	if err != nil {
		return nil, err
	}
	keys, err := w.keys(c)
	if err != nil {
		return nil, err
	}
	return keys.CheckpointVerifier(), nil
}
