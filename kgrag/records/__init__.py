"""The nouns of kgrag: frozen records that know no store and do no I/O."""
