package xero

// Parse is the list of connections, for its fuzz test.
var Parse = parse
