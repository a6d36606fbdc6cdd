// Package e2e_test tests the built program from outside, as a person, a browser or a
// script meets it.
package e2e_test

import (
	"os"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestMain(m *testing.M) { os.Exit(e2etest.Main(m)) }
