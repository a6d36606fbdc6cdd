package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"keyturn/internal/fault"
)

//go:embed static/css/*.css static/keyturn.js static/favicon.svg
var ownFiles embed.FS

// The names of the assets, without their hash.
const (
	assetCSS     = "keyturn.css"
	assetScript  = "keyturn.js"
	assetFavicon = "favicon.svg"
	assetLogo    = "logo"
)

// StaticPath is where Assets is mounted; the mux pattern is "GET /static/{file}".
const StaticPath = "/static/"

// asset is one file, ready to be sent.
type asset struct {
	kind   string // content type
	hash   string
	body   []byte
	zipped []byte
}

// assets are the static files by name.
type assets map[string]asset

// newAssets joins the styles of the kit and of the faces into one file, the vendor's
// colour last, and reads the rest.
func newAssets(vendor Vendor, faces []Face) (assets, error) {
	style, err := joinStyles(faces)
	if err != nil {
		return nil, err
	}
	if vendor.Accent != "" {
		rules, err := accentRules(vendor.Accent)
		if err != nil {
			return nil, err
		}
		style = append(style, rules...)
	}
	all := assets{}
	if err := all.add(assetCSS, "text/css; charset=utf-8", style); err != nil {
		return nil, err
	}
	for name, kind := range map[string]string{assetScript: "text/javascript; charset=utf-8", assetFavicon: "image/svg+xml"} {
		body, err := ownFiles.ReadFile("static/" + name)
		if err != nil {
			return nil, fmt.Errorf("web: the static file %s: %w", name, err)
		}
		if err := all.add(name, kind, body); err != nil {
			return nil, err
		}
	}
	if err := all.addPictures(faces); err != nil {
		return nil, err
	}
	if len(vendor.Logo) > 0 {
		kind, err := logoKind(vendor.Logo)
		if err != nil {
			return nil, err
		}
		if err := all.add(assetLogo, kind, vendor.Logo); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// addPictures reads the pictures of the faces, from their folder "pictures"; each is named
// "face-file.png".
func (a assets) addPictures(faces []Face) error {
	for _, face := range faces {
		files, err := fs.Glob(face.Files, "pictures/*.png")
		if err != nil {
			return fmt.Errorf("web: the pictures of %s: %w", face.Name, err)
		}
		for _, file := range files {
			body, err := fs.ReadFile(face.Files, file)
			if err != nil {
				return fmt.Errorf("web: the picture %s/%s: %w", face.Name, file, err)
			}
			if err := a.add(face.Name+"-"+path.Base(file), "image/png", body); err != nil {
				return err
			}
		}
	}
	return nil
}

func joinStyles(faces []Face) ([]byte, error) {
	own, err := fs.Sub(ownFiles, "static/css")
	if err != nil {
		return nil, fmt.Errorf("web: the kit's styles: %w", err)
	}
	var b bytes.Buffer
	for _, face := range append([]Face{{Name: "web", Files: own}}, faces...) {
		files, err := fs.Glob(face.Files, "*.css")
		if err != nil {
			return nil, fmt.Errorf("web: the styles of %s: %w", face.Name, err)
		}
		for _, file := range files {
			text, err := fs.ReadFile(face.Files, file)
			if err != nil {
				return nil, fmt.Errorf("web: the style %s/%s: %w", face.Name, file, err)
			}
			b.Write(text)
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), nil
}

// logoKind tells the two kinds of image that a logo may be.
func logoKind(logo []byte) (string, error) {
	if http.DetectContentType(logo) == "image/png" {
		return "image/png", nil
	}
	if bytes.Contains(logo[:min(len(logo), 1024)], []byte("<svg")) {
		return "image/svg+xml", nil
	}
	return "", errors.New("web: the vendor's logo is neither SVG nor PNG")
}

func (a assets) add(name, kind string, body []byte) error {
	sum := sha256.Sum256(body)
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("web: compressing %s: %w", name, err)
	}
	if _, err := z.Write(body); err != nil {
		return fmt.Errorf("web: compressing %s: %w", name, err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("web: compressing %s: %w", name, err)
	}
	a[name] = asset{kind: kind, hash: hex.EncodeToString(sum[:8]), body: body, zipped: zipped.Bytes()}
	return nil
}

// url is the address of an asset with its hash: "/static/keyturn.0123456789abcdef.css".
// It is empty for an asset that is not there.
func (a assets) url(name string) string {
	found, ok := a[name]
	if !ok {
		return ""
	}
	ending := path.Ext(name)
	return StaticPath + strings.TrimSuffix(name, ending) + "." + found.hash + ending
}

// find takes the hash out of a file name and returns the asset, and whether the hash
// is the current one.
func (a assets) find(file string) (found asset, current, ok bool) {
	for name, one := range a {
		ending := path.Ext(name)
		rest, begins := strings.CutPrefix(file, strings.TrimSuffix(name, ending)+".")
		if !begins {
			continue
		}
		if hash, ends := strings.CutSuffix(rest, ending); ends && len(hash) == len(one.hash) {
			return one, hash == one.hash, true
		}
	}
	return asset{}, false, false
}

// Assets serves the static files, mounted at "GET /static/{file}". A file under its
// current hash may be kept for ever. Under another hash, which a page of the release
// before or after asked for, the current file is served and not kept.
func (k *Kit) Assets() http.Handler {
	return k.Handle(func(w http.ResponseWriter, r *http.Request) error {
		found, current, ok := k.assets.find(r.PathValue("file"))
		if !ok {
			return fault.NotFound
		}
		h := w.Header()
		h.Set("Content-Type", found.kind)
		// A vendor's SVG opened on its own runs and loads nothing.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
		h.Set("Vary", "Accept-Encoding")
		h.Set("Cache-Control", "no-cache")
		if current {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		body := found.body
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && len(found.zipped) < len(body) {
			h.Set("Content-Encoding", "gzip")
			body = found.zipped
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // The browser has gone away; there is nobody left to tell.
		return nil
	})
}
