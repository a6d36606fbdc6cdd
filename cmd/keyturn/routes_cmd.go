package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"keyturn/internal/app"
)

type routesCmd struct {
	JSON bool `help:"As JSON, for scripts."`
}

// Run implements the command.
func (c routesCmd) Run(w *world) error {
	if c.JSON {
		e := json.NewEncoder(w.out)
		e.SetIndent("", "  ")
		return e.Encode(app.Routes())
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "METHOD\tPATH\tFOR\tSTATES")
	for _, r := range app.Routes() {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Method, r.Path, r.For, strings.Join(r.States, " "))
	}
	return table.Flush()
}
