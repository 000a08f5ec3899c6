package document

import "strings"

// space is a namespace that holds something for us. A namespace's prefix here is
// the one it has in the rewritten document, whatever the source called it; those
// of no use are all alike.
type space string

const (
	spaceNative   space = "" // the vocabulary of the document itself
	spaceAtom     space = "atom"
	spaceContent  space = "content"
	spaceDC       space = "dc"
	spaceDCTerms  space = "dcterms"
	spaceITunes   space = "itunes"
	spaceMedia    space = "media"
	spaceNews     space = "news"
	spaceRDF      space = "rdf"
	spaceSy       space = "sy"
	spaceXHTML    space = "xhtml"
	spaceXML      space = "xml"
	spaceNone     space = "?" // any other
	spaceOriginal space = "rss"
)

// spacesByURI knows namespaces by what identifies them, in lower case and
// without what publishers get wrong about it: the scheme and a last '/' or '#'.
var spacesByURI = map[string]space{
	"www.w3.org/2005/atom":                     spaceAtom,
	"purl.org/atom/ns":                         spaceAtom,
	"purl.org/rss/1.0":                         spaceOriginal,
	"purl.org/rss/1.1":                         spaceOriginal,
	"purl.org/net/rss1.1":                      spaceOriginal,
	"channel.netscape.com/rdf/simple/0.9":      spaceOriginal,
	"my.netscape.com/rdf/simple/0.9":           spaceOriginal,
	"backend.userland.com/rss":                 spaceOriginal,
	"backend.userland.com/rss2":                spaceOriginal,
	"blogs.law.harvard.edu/tech/rss":           spaceOriginal,
	"purl.org/rss/1.0/modules/rss091":          spaceOriginal,
	"purl.org/rss/1.0/modules/content":         spaceContent,
	"purl.org/dc/elements/1.1":                 spaceDC,
	"purl.org/dc/elements/1.0":                 spaceDC,
	"purl.org/dc/terms":                        spaceDCTerms,
	"www.itunes.com/dtds/podcast-1.0.dtd":      spaceITunes,
	"example.com/dtds/podcast-1.0.dtd":         spaceITunes,
	"search.yahoo.com/mrss":                    spaceMedia,
	"www.rssboard.org/media-rss":               spaceMedia,
	"www.google.com/schemas/sitemap-news/0.9":  spaceNews,
	"www.google.com/schemas/sitemap-news/0.84": spaceNews,
	"www.w3.org/1999/02/22-rdf-syntax-ns":      spaceRDF,
	"purl.org/rss/1.0/modules/syndication":     spaceSy,
	"www.w3.org/1999/xhtml":                    spaceXHTML,
	"www.w3.org/xml/1998/namespace":            spaceXML,
}

// spacesByPrefix is what a prefix means that is not declared, or declared as
// something unknown: feeds that leave out a declaration still use the usual one.
var spacesByPrefix = map[string]space{
	"atom": spaceAtom, "atom10": spaceAtom, "atom03": spaceAtom, "a10": spaceAtom, "content": spaceContent,
	"dc": spaceDC, "dcterms": spaceDCTerms, "dct": spaceDCTerms, "itunes": spaceITunes, "media": spaceMedia,
	"news": spaceNews, "rdf": spaceRDF, "rss": spaceOriginal, "sy": spaceSy, "xhtml": spaceXHTML, "xml": spaceXML,
}

// spaceOf returns the namespace that a URI identifies.
func spaceOf(uri string) space {
	uri = strings.ToLower(strings.TrimSpace(uri))
	uri = strings.TrimPrefix(strings.TrimPrefix(uri, "http://"), "https://")
	if s, ok := spacesByURI[strings.TrimRight(uri, "/#")]; ok {
		return s
	}
	return spaceNone
}

// work is what is done with an element.
type work uint8

const (
	workText     work = iota // its text is written
	workDate                 // its text is a date, and is written as RFC 3339
	workLink                 // its text or its href is an address
	workAtomLink             // its attributes are an address and a relation
	workCategory             // its attributes or its text are a category
	workGUID                 // its text names the item
	workContent              // as text, unless it is media or base64
	workList                 // its children's texts are written
	workEnter                // its children count as its parent's
	workItem                 // it is an item
	workPerson               // its children describe a person
	workSource               // its children describe where an item came from
)

// rule says what is done with an element and what it is called in the rewritten
// document. Of several elements with the same rule in one item the first that
// holds something is taken, unless many.
type rule struct {
	do   work
	out  string
	many bool
	bit  uint64
}

// vocabulary maps "prefix:name", the name in lower case, to what is done there.
type vocabulary map[string]*rule

// number gives each rule of a vocabulary its bit.
func number(v vocabulary) vocabulary {
	bit := uint64(1)
	seen := make(map[string]uint64)
	for _, r := range v {
		if seen[r.out] == 0 {
			seen[r.out] = bit
			bit <<= 1
		}
		r.bit = seen[r.out]
	}
	return v
}

var rssFeed = number(vocabulary{
	"channel":            {do: workEnter},
	"items":              {do: workEnter},
	"item":               {do: workItem, out: "item"},
	"entry":              {do: workItem, out: "item"},
	"title":              {do: workText, out: "title"},
	"link":               {do: workLink, out: "link"},
	"language":           {do: workText, out: "language"},
	"ttl":                {do: workText, out: "ttl"},
	"skiphours":          {do: workList, out: "skipHours"},
	"skipdays":           {do: workList, out: "skipDays"},
	"dc:title":           {do: workText, out: "dc:title"},
	"dc:language":        {do: workText, out: "dc:language"},
	"sy:updateperiod":    {do: workText, out: "sy:updatePeriod"},
	"sy:updatefrequency": {do: workText, out: "sy:updateFrequency"},
	"sy:updatebase":      {do: workDate, out: "sy:updateBase"},
	"atom:link":          {do: workAtomLink, out: "atom:link", many: true},
})

var rssItem = number(vocabulary{
	"title":             {do: workText, out: "title"},
	"link":              {do: workLink, out: "link"},
	"url":               {do: workLink, out: "link"},
	"guid":              {do: workGUID, out: "guid"},
	"id":                {do: workText, out: "atom:id"},
	"atom:id":           {do: workText, out: "atom:id"},
	"description":       {do: workText, out: "description"},
	"summary":           {do: workText, out: "atom:summary"},
	"atom:summary":      {do: workText, out: "atom:summary"},
	"content:encoded":   {do: workText, out: "content:encoded"},
	"encoded":           {do: workText, out: "content:encoded"},
	"xhtml:body":        {do: workText, out: "xhtml:body"},
	"xhtml:div":         {do: workText, out: "xhtml:body"},
	"body":              {do: workText, out: "xhtml:body"},
	"fullitem":          {do: workText, out: "xhtml:body"},
	"content":           {do: workContent, out: "atom:content"},
	"atom:content":      {do: workContent, out: "atom:content"},
	"pubdate":           {do: workDate, out: "pubDate"},
	"published":         {do: workDate, out: "atom:published"},
	"issued":            {do: workDate, out: "atom:published"},
	"atom:published":    {do: workDate, out: "atom:published"},
	"atom:issued":       {do: workDate, out: "atom:published"},
	"updated":           {do: workDate, out: "atom:updated"},
	"modified":          {do: workDate, out: "atom:updated"},
	"atom:updated":      {do: workDate, out: "atom:updated"},
	"atom:modified":     {do: workDate, out: "atom:updated"},
	"date":              {do: workDate, out: "dc:date"},
	"dc:date":           {do: workDate, out: "dc:date"},
	"dcterms:issued":    {do: workDate, out: "dcterms:issued"},
	"dcterms:available": {do: workDate, out: "dcterms:issued"},
	"dcterms:created":   {do: workDate, out: "dcterms:created"},
	"dcterms:modified":  {do: workDate, out: "dcterms:modified"},
	"author":            {do: workText, out: "author"},
	"atom:author":       {do: workPerson, out: "atom:author", many: true},
	"dc:creator":        {do: workText, out: "dc:creator", many: true},
	"dc:author":         {do: workText, out: "dc:creator", many: true},
	"itunes:author":     {do: workText, out: "itunes:author"},
	"itunes:title":      {do: workText, out: "itunes:title"},
	"category":          {do: workText, out: "category", many: true},
	"atom:category":     {do: workCategory, out: "atom:category", many: true},
	"dc:subject":        {do: workText, out: "dc:subject", many: true},
	"source":            {do: workText, out: "source"},
	"dc:title":          {do: workText, out: "dc:title"},
	"atom:title":        {do: workText, out: "atom:title"},
	"media:title":       {do: workText, out: "media:title"},
	"dc:description":    {do: workText, out: "dc:description"},
	"itunes:summary":    {do: workText, out: "itunes:summary"},
	"itunes:subtitle":   {do: workText, out: "itunes:subtitle"},
	"media:group":       {do: workEnter},
	"media:content":     {do: workEnter},
	"media:description": {do: workText, out: "media:description"},
	"dc:language":       {do: workText, out: "dc:language"},
	"language":          {do: workText, out: "dc:language"},
	"atom:link":         {do: workAtomLink, out: "atom:link", many: true},
})

var atomFeed = number(vocabulary{
	"entry":              {do: workItem, out: "entry"},
	"item":               {do: workItem, out: "entry"},
	"title":              {do: workText, out: "title"},
	"link":               {do: workAtomLink, out: "link", many: true},
	"author":             {do: workPerson, out: "author", many: true},
	"dc:language":        {do: workText, out: "dc:language"},
	"sy:updateperiod":    {do: workText, out: "sy:updatePeriod"},
	"sy:updatefrequency": {do: workText, out: "sy:updateFrequency"},
	"sy:updatebase":      {do: workDate, out: "sy:updateBase"},
})

// gofeed resolves an Atom id as if it were an address and so changes it, spaces
// and letters beyond ASCII above all. An id is compared character by character
// (RFC 4287 §4.2.6.1); under a name that gofeed does not know it stays as it is.
const keptID = "kept:id"

var atomEntry = number(vocabulary{
	"title":             {do: workText, out: "title"},
	"id":                {do: workText, out: keptID},
	"guid":              {do: workText, out: keptID},
	"link":              {do: workAtomLink, out: "link", many: true},
	"summary":           {do: workContent, out: "summary"},
	"description":       {do: workText, out: "summary"},
	"content":           {do: workContent, out: "content"},
	"content:encoded":   {do: workText, out: "content:encoded"},
	"xhtml:body":        {do: workText, out: "content:encoded"},
	"published":         {do: workDate, out: "published"},
	"issued":            {do: workDate, out: "published"},
	"pubdate":           {do: workDate, out: "published"},
	"updated":           {do: workDate, out: "updated"},
	"modified":          {do: workDate, out: "updated"},
	"created":           {do: workDate, out: "dcterms:created"},
	"dcterms:created":   {do: workDate, out: "dcterms:created"},
	"dcterms:issued":    {do: workDate, out: "dcterms:issued"},
	"dcterms:modified":  {do: workDate, out: "dcterms:modified"},
	"dc:date":           {do: workDate, out: "dc:date"},
	"author":            {do: workPerson, out: "author", many: true},
	"dc:creator":        {do: workText, out: "dc:creator", many: true},
	"category":          {do: workCategory, out: "category", many: true},
	"dc:subject":        {do: workText, out: "dc:subject", many: true},
	"source":            {do: workSource, out: "source"},
	"media:group":       {do: workEnter},
	"media:content":     {do: workEnter},
	"media:title":       {do: workText, out: "media:title"},
	"media:description": {do: workText, out: "media:description"},
	"dc:language":       {do: workText, out: "dc:language"},
})

var personWords = number(vocabulary{
	"name":  {do: workText, out: "name"},
	"email": {do: workText, out: "email"},
})

var sourceWords = number(vocabulary{"title": {do: workText, out: "title"}})
