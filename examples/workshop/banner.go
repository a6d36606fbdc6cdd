package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// mostBanners bounds how many are kept.
const mostBanners = 10_000

// Banners are what Keyturn has to say to members on the product's own pages: that a date
// comes, and what they lack. A page is shown without one rather than not at all.
type Banners struct {
	Keyturn *Keyturn
	// Service and Secret are of a client of kind service; without them there are no banners.
	Service, Secret string
	// Key is who signs banners: what "keyturn audit key" prints.
	Key string
	Now func() time.Time

	mu     sync.Mutex
	tokens oauth2.TokenSource
	kept   map[[2]string]Snippet
}

// Snippet is a banner as a piece of a page.
type Snippet struct {
	HTML      string    `json:"html"`
	ExpiresAt time.Time `json:"expires_at"`
	Signature string    `json:"signature"`
}

// For is the banner for a member of a workshop, which is mostly empty.
func (b *Banners) For(ctx context.Context, at Site) (template.HTML, error) {
	if b.Service == "" || at.UserRef == "" {
		return "", nil
	}
	b.mu.Lock()
	had, ok := b.kept[[2]string{at.Ref, at.UserRef}]
	b.mu.Unlock()
	if !ok || !b.Now().Before(had.ExpiresAt) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		var err error
		if had, err = b.fetch(ctx, at); err != nil {
			return "", fmt.Errorf("a banner: %w", err)
		}
		b.keep(at, had)
	}
	// What was kept is judged as it is used: html/template takes our word for what it is.
	if had.HTML == "" || b.signed(had, at) != nil {
		return "", nil
	}
	return template.HTML(had.HTML), nil //nolint:gosec // signed by Keyturn for this member
}

func (b *Banners) keep(at Site, s Snippet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil || len(b.kept) >= mostBanners {
		b.kept = map[[2]string]Snippet{}
	}
	b.kept[[2]string{at.Ref, at.UserRef}] = s
}

func (b *Banners) fetch(ctx context.Context, at Site) (s Snippet, err error) {
	source, err := b.source(ctx)
	if err != nil {
		return s, err
	}
	token, err := source.Token()
	if err != nil {
		return s, fmt.Errorf("fetch a token: %w", err)
	}
	path := fmt.Sprintf("/api/v1/sites/%s/users/%s/banner", url.PathEscape(at.Ref), url.PathEscape(at.UserRef))
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Keyturn.Issuer+path, nil)
	if err != nil {
		return s, err
	}
	token.SetAuthHeader(r)
	w, err := b.Keyturn.HTTP.Do(r)
	if err != nil {
		return s, err
	}
	defer func() { _ = w.Body.Close() }()
	var said struct {
		Show    bool     `json:"show"`
		Snippet *Snippet `json:"snippet"`
	}
	if w.StatusCode != http.StatusOK {
		return s, fmt.Errorf("status %d", w.StatusCode)
	}
	if err := json.NewDecoder(w.Body).Decode(&said); err != nil {
		return s, err
	}
	if !said.Show || said.Snippet == nil {
		return Snippet{ExpiresAt: b.Now().Add(time.Minute)}, nil
	}
	return *said.Snippet, nil
}

// source gives tokens of the service, each until it runs out.
func (b *Banners) source(ctx context.Context) (oauth2.TokenSource, error) {
	p, err := b.Keyturn.provider(ctx)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens == nil {
		config := clientcredentials.Config{ClientID: b.Service, ClientSecret: b.Secret, TokenURL: p.Endpoint().TokenURL}
		b.tokens = config.TokenSource(b.Keyturn.by(context.WithoutCancel(ctx)))
	}
	return b.tokens, nil
}

var errSigned = errors.New("not a banner for this member")

// signed checks that Keyturn said this, to this member, until later than now.
func (b *Banners) signed(s Snippet, at Site) error {
	verifier, err := note.NewVerifier(b.Key)
	if err != nil {
		return fmt.Errorf("read the key of banners: %w", err)
	}
	opened, err := note.Open([]byte(s.Signature), note.VerifierList(verifier))
	if err != nil {
		return fmt.Errorf("a banner's signature: %w", err)
	}
	sum := sha256.Sum256([]byte(s.HTML))
	until := s.ExpiresAt.UTC().Format(time.RFC3339)
	want := "keyturn banner\nsite " + at.Ref + "\nuser " + at.UserRef + "\nuntil " + until + "\nsha-256 " + hex.EncodeToString(sum[:])
	if strings.TrimSuffix(opened.Text, "\n") != want {
		return errSigned
	}
	return nil
}
