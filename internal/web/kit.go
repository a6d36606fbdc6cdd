// Package web is the kit of every page: it answers errors, shows typed pages, reads
// forms, sets cookies, refuses what another site asks for, and writes one log line
// per request.
//
// A face (the door, a user's own pages, the guides) brings its templates and its
// styles as a [Face]; the kit parses all of them once at the start. A handler returns
// its error to [Kit.Handle]; a page is a struct that [Kit.Show] renders whole or not
// at all; a browser is sent on by [Go], which cannot leave the site.
package web

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Setup is what the kit is made of. Every field is needed unless it says otherwise.
type Setup struct {
	// Log gets one line per request.
	Log *slog.Logger
	// PublicURL is the origin that browsers see: https, or http on loopback. Its
	// scheme decides about Secure cookies and HSTS.
	PublicURL *url.URL
	// Vendor is whose product this is.
	Vendor Vendor
	// TrustedProxies are the networks whose X-Forwarded-For is believed. May be empty.
	TrustedProxies []netip.Prefix
	// Now is the clock, read for durations in the log only.
	Now func() time.Time
	// Faces bring the pages. May be empty.
	Faces []Face
}

// Vendor is how the vendor wants to look.
type Vendor struct {
	// Name stands at the top of each page.
	Name string
	// Accent is the one colour of buttons and links, as "#16458c". Empty means the
	// workshop blue. The tones for hovering, washes and the dark set are made from it.
	Accent string
	// Logo is an SVG or PNG image, square, shown at 28 pixels. Empty means the key tag.
	Logo []byte
	// Support is whom a person asks when nobody at their site can help. May be empty.
	Support Contact
}

// Contact is somebody to ask.
type Contact struct {
	// Name is a person or a team: "Robin Ellery", "Workshop Software support".
	Name string
	// Phone is written as it is dialled: "07 5550 0142". May be empty.
	Phone string
	// Email may be empty.
	Email string
	// Hours says when somebody answers: "Mon to Fri, 7 am to 6 pm". May be empty.
	Hours string
}

// Known says whether there is anybody to ask.
func (c Contact) Known() bool { return c.Name != "" }

// Face is one audience's part of the web: its templates (*.html, each one page, named
// "face/file" without the ending) and styles (*.css), all at the top of Files.
type Face struct {
	Name  string
	Files fs.FS
}

// Kit is safe for concurrent use. It is made by New.
type Kit struct {
	log     *slog.Logger
	public  *url.URL
	vendor  Vendor
	proxies []netip.Prefix
	now     func() time.Time
	origins *http.CrossOriginProtection
	pages   map[string]*template.Template
	assets  assets
}

// New reads and checks everything the pages need: templates, styles, the vendor's
// colour and logo. A kit that was made can show every page.
func New(s Setup) (*Kit, error) {
	if s.Log == nil || s.Now == nil || s.PublicURL == nil {
		return nil, errors.New("web: a log, a clock and the public URL are needed")
	}
	if s.PublicURL.Scheme != "https" && s.PublicURL.Scheme != "http" {
		return nil, fmt.Errorf("web: the public URL must start with https:// or http://, not %q", s.PublicURL.Scheme)
	}
	k := &Kit{
		log:     s.Log,
		public:  s.PublicURL,
		vendor:  s.Vendor,
		proxies: s.TrustedProxies,
		now:     s.Now,
		origins: http.NewCrossOriginProtection(),
	}
	// A proxy in front may change the Host that we see; browsers send the public one.
	if err := k.origins.AddTrustedOrigin(s.PublicURL.Scheme + "://" + s.PublicURL.Host); err != nil {
		return nil, fmt.Errorf("web: the public URL: %w", err)
	}
	var err error
	if k.assets, err = newAssets(s.Vendor, s.Faces); err != nil {
		return nil, err
	}
	if k.pages, err = k.parse(s.Faces); err != nil {
		return nil, err
	}
	return k, nil
}

// secure says whether browsers reach us by https.
func (k *Kit) secure() bool { return k.public.Scheme == "https" }

// Public is the address of a page of ours as it is written outside of a browser; the host
// alone for "".
func (k *Kit) Public(path string) string {
	if path == "" {
		return k.public.Hostname()
	}
	return k.public.JoinPath(path).String()
}

// VendorName is whose product this is, for sentences.
func (k *Kit) VendorName() string { return k.vendor.Name }
