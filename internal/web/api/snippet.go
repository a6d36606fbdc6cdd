package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/locale"
	"keyturn/internal/secret"
)

// snippetLife is how long a snippet may be put into a page: what a product keeps in a cache
// must not say for days what was true in the morning.
const snippetLife = 10 * time.Minute

// Snippet is a banner as HTML, which the product's server puts into its own page. It loads
// nothing, runs nothing and is framed nowhere: a product needs no exception in its policy
// of content for it, and we none in ours.
type Snippet struct {
	HTML      string    `json:"html" example:"<aside class=\"keyturn-banner\" lang=\"en-AU\" role=\"status\"><p><strong>2FA is asked here now.</strong></p></aside>" doc:"A piece of a page: one aside element without scripts, styles and pictures."`
	ExpiresAt time.Time `json:"expires_at" example:"2026-06-02T18:10:00Z" doc:"Until when it may be put into a page."`
	//nolint:lll // one field
	Signature string `json:"signature" example:"keyturn banner\nsite S01002\nuser U100007\n" doc:"A signed note (golang.org/x/mod/sumdb/note, Ed25519) for the key of 'keyturn audit key'. Its lines: 'keyturn banner', then 'site', 'user', 'until' and 'sha-256', each with its value: your two references, expires_at, and the hash of html in hexadecimal digits."`
}

var snippetPage = template.Must(template.New("snippet").Parse(
	`<aside class="keyturn-banner" lang="{{.Lang}}" role="status"><p><strong>{{.Heading}}</strong></p>` +
		`{{if .Lacks}}<ul>{{range .Lacks}}<li>{{.}}</li>{{end}}</ul>{{end}}` +
		`<p><a href="{{.Link}}" rel="noopener">{{.Next}}</a></p></aside>`))

// snippet makes the piece of a page for one member, and signs it. The first line says what
// it is: the same key signs checkpoints and packs of evidence, which begin otherwise.
func snippet(keys *secret.Keys, of ofMember, b Banner, now time.Time) (*Snippet, error) {
	var page strings.Builder
	err := snippetPage.Execute(&page, struct {
		Banner

		Lang string
	}{b, locale.Lang})
	if err != nil {
		return nil, fmt.Errorf("write a snippet: %w", err)
	}
	s := &Snippet{HTML: page.String(), ExpiresAt: now.Add(snippetLife).UTC().Truncate(time.Second)}
	sum := sha256.Sum256([]byte(s.HTML))
	signed, err := note.Sign(&note.Note{Text: fmt.Sprintf("keyturn banner\nsite %s\nuser %s\nuntil %s\nsha-256 %s\n",
		of.Ref, of.UserRef, s.ExpiresAt.Format(time.RFC3339), hex.EncodeToString(sum[:]))}, keys.CheckpointSigner())
	if err != nil {
		return nil, fmt.Errorf("sign a snippet: %w", err)
	}
	s.Signature = string(signed)
	return s, nil
}
