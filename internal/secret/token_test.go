package secret_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"keyturn/internal/secret"
)

func TestTokensAreLongDifferentAndStoredAsAHash(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		plain, hash := secret.Token()
		raw, err := base64.RawURLEncoding.DecodeString(plain)
		if err != nil || len(raw) != 32 {
			t.Fatalf("a token of %d bytes, %v", len(raw), err)
		}
		sum := sha256.Sum256([]byte(plain))
		if !bytes.Equal(hash, sum[:]) || !bytes.Equal(hash, secret.TokenHash(plain)) {
			t.Fatal("the hash is not SHA-256 of the token")
		}
		if seen[plain] {
			t.Fatal("a token came twice")
		}
		seen[plain] = true
	}
}

// The bounds are the 99.999 % points of the χ² distribution for 9 and 99 degrees of
// freedom, so that one run in 100,000 of each fails by chance.
func TestDigitsAreUniform(t *testing.T) {
	t.Parallel()
	const codes, length = 100_000, 6
	var place [length][10]int
	var pairs [100]int
	zeros := 0
	for range codes {
		code := secret.Digits(length)
		if len(code) != length || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q is not six digits", code)
		}
		for i := range code {
			place[i][code[i]-'0']++
		}
		for i := 0; i < length; i += 2 {
			pairs[10*(code[i]-'0')+code[i+1]-'0']++
		}
		if code[0] == '0' {
			zeros++
		}
	}
	for i := range place {
		if x := chiSquare(place[i][:]); x > 39.4 {
			t.Errorf("the digits at place %d are not uniform: χ² is %.1f", i+1, x)
		}
	}
	if x := chiSquare(pairs[:]); x > 170 {
		t.Errorf("pairs of digits are not uniform: χ² is %.1f", x)
	}
	if zeros == 0 {
		t.Error("no code keeps a zero at its front")
	}
}

func chiSquare(counts []int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	want := float64(total) / float64(len(counts))
	var x float64
	for _, n := range counts {
		d := float64(n) - want
		x += d * d / want
	}
	return x
}

func TestDigitsComeInTheLengthAskedFor(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, 0, 1, 6, 8, 17, 100} {
		if got := secret.Digits(n); len(got) != max(n, 0) {
			t.Errorf("%d digits asked, %d given", n, len(got))
		}
	}
}
