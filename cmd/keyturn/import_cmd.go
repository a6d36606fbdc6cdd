package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"keyturn/internal/people"
)

type importCmd struct {
	File   string `arg:"" help:"The CSV file." type:"existingfile"`
	DryRun bool   `help:"Judge every row and write nothing."`
	Report string `help:"Write the report, one line a row, to this file." type:"path" placeholder:"FILE"`
}

// Run implements the command.
func (i importCmd) Run(w *world) (err error) {
	c, d, err := w.useDB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	in, err := os.Open(filepath.Clean(i.File))
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	defer func() { _ = in.Close() }()
	im := &people.Import{DB: d, RealDomains: c.RealDomains, Countries: c.SMSCountries, Progress: w.progressOf("imported")}
	report, err := im.Judge(w.ctx, in)
	if err != nil {
		return err
	}
	// The report's file is opened first: what was written without a report is not known.
	out, err := i.openReport()
	if err != nil {
		return err
	}
	if !i.DryRun {
		err = im.Write(w.ctx, report)
		w.progressEnd()
	}
	return errors.Join(err, i.tell(w, report, out))
}

func (i importCmd) openReport() (*os.File, error) {
	if i.Report == "" {
		return nil, nil
	}
	f, err := os.OpenFile(filepath.Clean(i.Report), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	return f, nil
}

// tell writes the report and sums it up.
func (i importCmd) tell(w *world, report *people.Report, out *os.File) error {
	if out != nil {
		_, err := report.WriteTo(out)
		if err = errors.Join(err, out.Close()); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	for _, line := range report.Summary() {
		if _, err := fmt.Fprintln(w.out, line); err != nil {
			return err
		}
	}
	if i.DryRun {
		_, err := fmt.Fprintln(w.out, "nothing was written: this was a dry run")
		return err
	}
	return nil
}
