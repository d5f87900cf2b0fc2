BEGIN TRANSACTION;
CREATE TABLE advised_on (
	concept TEXT NOT NULL, 
	recommendation TEXT NOT NULL, 
	doc INTEGER NOT NULL, 
	PRIMARY KEY (concept, recommendation), 
	FOREIGN KEY(doc) REFERENCES documents (doc)
)
 WITHOUT ROWID

;
INSERT INTO "advised_on" VALUES('MESH:D000658','rec_9829ae181c1377c29ef9cb3d',1);
INSERT INTO "advised_on" VALUES('MESH:D011014','rec_9829ae181c1377c29ef9cb3d',1);
INSERT INTO "advised_on" VALUES('MESH:D000658','rec_7518d257af9768b6b032f721',2);
INSERT INTO "advised_on" VALUES('MESH:D011014','rec_7518d257af9768b6b032f721',2);
INSERT INTO "advised_on" VALUES('MESH:D000658','rec_d947b409f32277eccdb40ecd',3);
INSERT INTO "advised_on" VALUES('MESH:D011014','rec_d947b409f32277eccdb40ecd',3);
CREATE TABLE bodies (
	doc INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	structure TEXT NOT NULL, 
	mentions TEXT NOT NULL, 
	rejects TEXT NOT NULL, 
	PRIMARY KEY (doc), 
	FOREIGN KEY(doc) REFERENCES documents (doc)
);
INSERT INTO "bodies" VALUES(1,'Edition 1 – β-lactams 💊

Amoxicillin treats pneumonia (≥ 1 days).

Drug: Amoxicillin; Dose: 100 mg','{"blocks":[["heading",0,23],["paragraph",25,65],["table_row",67,98]],"sections":[["Edition 1 – β-lactams 💊",1,0,98]],"pages":[[1,0,98,"i"]],"tables":[[["Drug","Dose"],[[67,98]],"Doses"]],"doubts":[]}','[[25,44,73],[36,53,84],["Amoxicillin","pneumonia","Amoxicillin"],["MESH:D000658","MESH:D011014","MESH:D000658"],["drug","disease","drug"],[0.75,0.75,1.0],[0,0,17]]','[{"reason":"no verb"}]');
INSERT INTO "bodies" VALUES(2,'Edition 2 – β-lactams 💊

Amoxicillin treats pneumonia (≥ 2 days).

Drug: Amoxicillin; Dose: 200 mg','{"blocks":[["heading",0,23],["paragraph",25,65],["table_row",67,98]],"sections":[["Edition 2 – β-lactams 💊",1,0,98]],"pages":[[1,0,98,"i"]],"tables":[[["Drug","Dose"],[[67,98]],"Doses"]],"doubts":[]}','[[25,44,73],[36,53,84],["Amoxicillin","pneumonia","Amoxicillin"],["MESH:D000658","MESH:D011014","MESH:D000658"],["drug","disease","drug"],[0.75,0.75,1.0],[0,0,17]]','[{"reason":"no verb"}]');
INSERT INTO "bodies" VALUES(3,'Edition 1 – β-lactams 💊

Amoxicillin treats pneumonia (≥ 1 days).

Drug: Amoxicillin; Dose: 100 mg','{"blocks":[["heading",0,23],["paragraph",25,65],["table_row",67,98]],"sections":[["Edition 1 – β-lactams 💊",1,0,98]],"pages":[[1,0,98,"i"]],"tables":[[["Drug","Dose"],[[67,98]],"Doses"]],"doubts":[]}','[[25,44,73],[36,53,84],["Amoxicillin","pneumonia","Amoxicillin"],["MESH:D000658","MESH:D011014","MESH:D000658"],["drug","disease","drug"],[0.75,0.75,1.0],[32,32,17]]','[{"reason":"no verb"}]');
CREATE TABLE changes (
	generation BIGINT NOT NULL, 
	op TEXT NOT NULL, 
	document_id TEXT NOT NULL, 
	PRIMARY KEY (generation)
);
INSERT INTO "changes" VALUES(1,'add','doc_f33aedcb379ec6b4a6c09e8a');
INSERT INTO "changes" VALUES(2,'retire','doc_f33aedcb379ec6b4a6c09e8a');
INSERT INTO "changes" VALUES(3,'add','doc_cfaaa3f985860131d9fe5e84');
INSERT INTO "changes" VALUES(4,'add','doc_6777610d692a3b5064202668');
CREATE TABLE documents (
	doc INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	collection TEXT NOT NULL, 
	identifier TEXT NOT NULL, 
	uri TEXT NOT NULL, 
	media_type TEXT NOT NULL, 
	original_sha256 TEXT NOT NULL, 
	reader TEXT NOT NULL, 
	metadata TEXT NOT NULL, 
	status TEXT NOT NULL, 
	generation BIGINT NOT NULL, 
	chars INTEGER NOT NULL, 
	mentions INTEGER NOT NULL, 
	rejects INTEGER NOT NULL, 
	PRIMARY KEY (doc), 
	UNIQUE (id)
);
INSERT INTO "documents" VALUES(1,'doc_f33aedcb379ec6b4a6c09e8a','own','guide.md','file:///guide.md','text/plain','a68c051150d751a8230c6976039469c82f9ba0ff6ecbfac018c4d97c34d62460','sample/1','{"title":"Edition 1 – β-lactams 💊","publisher":null,"date":"2020-05","version":null,"licence":null,"language":null,"identifiers":[["doi","10.1/guide.md"]],"retracted":null,"extra":[]}','replaced',2,98,3,1);
INSERT INTO "documents" VALUES(2,'doc_cfaaa3f985860131d9fe5e84','own','guide.md','file:///guide.md','text/plain','4c3650b0b36f500db9219152158d1a1d0b1ea02cc2c285816eb7758dc8612134','sample/1','{"title":"Edition 2 – β-lactams 💊","publisher":null,"date":"2020-05","version":null,"licence":null,"language":null,"identifiers":[["doi","10.1/guide.md"]],"retracted":null,"extra":[]}','current',3,98,3,1);
INSERT INTO "documents" VALUES(3,'doc_6777610d692a3b5064202668','own','b.md','file:///b.md','text/plain','a68c051150d751a8230c6976039469c82f9ba0ff6ecbfac018c4d97c34d62460','sample/1','{"title":"Edition 1 – β-lactams 💊","publisher":null,"date":"2020-05","version":null,"licence":null,"language":null,"identifiers":[["doi","10.1/b.md"]],"retracted":null,"extra":[]}','current',4,98,3,1);
CREATE TABLE embedding_owners (
	text_sha256 BLOB NOT NULL, 
	doc INTEGER NOT NULL, 
	PRIMARY KEY (text_sha256, doc), 
	FOREIGN KEY(doc) REFERENCES documents (doc)
)
 WITHOUT ROWID

;
CREATE TABLE embeddings (
	encoder TEXT NOT NULL, 
	text_sha256 BLOB NOT NULL, 
	vector BLOB NOT NULL
);
CREATE TABLE file_states (
	collection TEXT NOT NULL, 
	path TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	shape TEXT NOT NULL, 
	documents TEXT NOT NULL, 
	PRIMARY KEY (collection, path)
);
CREATE TABLE internals (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "internals" VALUES('schema','2');
INSERT INTO "internals" VALUES('key','0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE passages (
	id TEXT NOT NULL, 
	doc INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	start INTEGER NOT NULL, 
	stop INTEGER NOT NULL, 
	section TEXT NOT NULL, 
	page INTEGER, 
	text_sha256 BLOB NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(doc) REFERENCES documents (doc)
);
INSERT INTO "passages" VALUES('pas_c9d0952a22d07770ae18e6c0',1,0,0,23,'["Edition 1 – β-lactams 💊"]',1,X'7CBC7687C0F5F41DDF7330D04253C6E913C3BA49881BB4EBC271154039F67114');
INSERT INTO "passages" VALUES('pas_a487c23468c1cbcea637fc11',1,1,25,65,'["Edition 1 – β-lactams 💊"]',1,X'D38B8080D4AB30249D07137D34AD9002B78B5447B37636ADF4136EE5ECCD6E54');
INSERT INTO "passages" VALUES('pas_94812b1cf1eca496030d2a41',1,2,67,98,'["Edition 1 – β-lactams 💊"]',1,X'9DE39BE629D694033730B7FDD36F7CF0E204889B178D952D39E4F98AF6A9B5F1');
INSERT INTO "passages" VALUES('pas_df5180ccd9cb92c4e3321d7b',2,0,0,23,'["Edition 2 – β-lactams 💊"]',1,X'28EC0A0F1A88BAB1A2A9D6B8B55E54FC2361AAB0382BF68123217866D2CF3516');
INSERT INTO "passages" VALUES('pas_e9ae9a2ea0c1a0500267d09d',2,1,25,65,'["Edition 2 – β-lactams 💊"]',1,X'1795C38432938F585EFD849588B340DB8F0B1025EE86EB1CC9EB48BF2286D1DE');
INSERT INTO "passages" VALUES('pas_09d62008a2a242e1dcacc60b',2,2,67,98,'["Edition 2 – β-lactams 💊"]',1,X'A05A82F170F8B52449A0DA416E41D9B6690908B920902D80F7661C54D794C02E');
INSERT INTO "passages" VALUES('pas_f180ef62206900646776a4f4',3,0,0,23,'["Edition 1 – β-lactams 💊"]',1,X'7CBC7687C0F5F41DDF7330D04253C6E913C3BA49881BB4EBC271154039F67114');
INSERT INTO "passages" VALUES('pas_75fd49d3f5b24e6a0bb7570c',3,1,25,65,'["Edition 1 – β-lactams 💊"]',1,X'D38B8080D4AB30249D07137D34AD9002B78B5447B37636ADF4136EE5ECCD6E54');
INSERT INTO "passages" VALUES('pas_38239cc6ded0810d9361cfa2',3,2,67,98,'["Edition 1 – β-lactams 💊"]',1,X'9DE39BE629D694033730B7FDD36F7CF0E204889B178D952D39E4F98AF6A9B5F1');
CREATE TABLE postings (
	concept TEXT NOT NULL, 
	doc INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	mentions INTEGER NOT NULL, 
	PRIMARY KEY (concept, doc, position), 
	FOREIGN KEY(doc) REFERENCES documents (doc)
)
 WITHOUT ROWID

;
INSERT INTO "postings" VALUES('MESH:D000658',1,1,1);
INSERT INTO "postings" VALUES('MESH:D000658',1,2,1);
INSERT INTO "postings" VALUES('MESH:D000658',2,1,1);
INSERT INTO "postings" VALUES('MESH:D000658',2,2,1);
INSERT INTO "postings" VALUES('MESH:D000658',3,1,1);
INSERT INTO "postings" VALUES('MESH:D000658',3,2,1);
INSERT INTO "postings" VALUES('MESH:D011014',1,1,1);
INSERT INTO "postings" VALUES('MESH:D011014',2,1,1);
INSERT INTO "postings" VALUES('MESH:D011014',3,1,1);
CREATE TABLE recommended (
	id TEXT NOT NULL, 
	doc INTEGER NOT NULL, 
	record TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(doc) REFERENCES documents (doc)
);
INSERT INTO "recommended" VALUES('rec_9829ae181c1377c29ef9cb3d',1,'{"start":25,"end":65,"quote":"Amoxicillin treats pneumonia (≥ 1 days).","direction":"for","action":[25,53],"population":[44,53],"strength":{"system":"GRADE","raw":"≥ 1 days","normalised":"strong","span":[55,63],"inherited":true},"interventions":["MESH:D000658"],"conditions":["MESH:D011014"],"min_age":18.0,"issuer":"Sample","effective":"2020-05","supersedes":["the edition before"],"exceptions":[[55,56]]}');
INSERT INTO "recommended" VALUES('rec_7518d257af9768b6b032f721',2,'{"start":25,"end":65,"quote":"Amoxicillin treats pneumonia (≥ 2 days).","direction":"for","action":[25,53],"population":[44,53],"strength":{"system":"GRADE","raw":"≥ 2 days","normalised":"strong","span":[55,63],"inherited":true},"interventions":["MESH:D000658"],"conditions":["MESH:D011014"],"min_age":18.0,"issuer":"Sample","effective":"2020-05","supersedes":["the edition before"],"exceptions":[[55,56]]}');
INSERT INTO "recommended" VALUES('rec_d947b409f32277eccdb40ecd',3,'{"start":25,"end":65,"quote":"Amoxicillin treats pneumonia (≥ 1 days).","direction":"against","action":[25,53],"population":[44,53],"strength":{"system":"GRADE","raw":"≥ 1 days","normalised":"strong","span":[55,63],"inherited":true},"interventions":["MESH:D000658"],"conditions":["MESH:D011014"],"min_age":18.0,"issuer":"Sample","effective":"2020-05","supersedes":["the edition before"],"exceptions":[[55,56]]}');
CREATE TABLE settings (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE stated (
	id TEXT NOT NULL, 
	doc INTEGER NOT NULL, 
	subject TEXT NOT NULL, 
	predicate TEXT NOT NULL, 
	object TEXT NOT NULL, 
	negated BOOLEAN NOT NULL, 
	qualifiers TEXT NOT NULL, 
	tier TEXT NOT NULL, 
	certainty TEXT NOT NULL, 
	pieces INTEGER NOT NULL, 
	evidence TEXT NOT NULL, 
	PRIMARY KEY (id, doc), 
	FOREIGN KEY(doc) REFERENCES documents (doc)
);
INSERT INTO "stated" VALUES('ast_bdec3a8d93c8074275b6e571',1,'MESH:D000658','biolink:treats','MESH:D011014',0,'[["population","adults"]]','asserted','stated',1,'[[25,65,"Amoxicillin treats pneumonia (≥ 1 days).",[25,36],[44,53],"trigger"]]');
INSERT INTO "stated" VALUES('ast_bdec3a8d93c8074275b6e571',2,'MESH:D000658','biolink:treats','MESH:D011014',0,'[["population","adults"]]','asserted','stated',1,'[[25,65,"Amoxicillin treats pneumonia (≥ 2 days).",[25,36],[44,53],"trigger"]]');
INSERT INTO "stated" VALUES('ast_928becfb2d0c2a0883d52ad5',3,'MESH:D000658','biolink:treats','MESH:D011014',1,'[["population","adults"]]','asserted','stated',1,'[[25,65,"Amoxicillin treats pneumonia (≥ 1 days).",[25,36],[44,53],"trigger"]]');
CREATE TABLE tombstones (
	id TEXT NOT NULL, 
	source_hash TEXT NOT NULL, 
	collection_hash TEXT NOT NULL, 
	generation BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE UNIQUE INDEX one_current_version ON documents (collection, identifier) WHERE status = 'current';
CREATE INDEX ix_documents_original_sha256 ON documents (original_sha256);
CREATE UNIQUE INDEX embedding_of_text ON embeddings (text_sha256, encoder);
CREATE INDEX ix_passages_text_sha256 ON passages (text_sha256);
CREATE UNIQUE INDEX passages_of_document ON passages (doc, position);
CREATE INDEX postings_of_document ON postings (doc);
CREATE INDEX ix_stated_subject ON stated (subject);
CREATE INDEX stated_of_document ON stated (doc);
CREATE INDEX ix_stated_object ON stated (object);
CREATE INDEX recommended_of_document ON recommended (doc);
CREATE INDEX advised_on_of_document ON advised_on (doc);
CREATE INDEX embedding_owners_of_document ON embedding_owners (doc);
COMMIT;