package client

// RedirectFits is redirectFits, for the fuzz test.
var RedirectFits = redirectFits
